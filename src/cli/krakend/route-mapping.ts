import type { Endpoint, KrakendConfig, Signer, Validator } from './krakend-config.js';

/** Which endpoints the gateway has already, and which need a controller. */
export interface RouteMapping {
  /** Becomes `POST /token`. */
  readonly token: Endpoint | undefined;
  /** Becomes `GET /private/custom`. */
  readonly custom: Endpoint | undefined;
  /** Become controllers. */
  readonly others: readonly Endpoint[];
  /** Its settings become the defaults of all signing routes. */
  readonly signer: Signer | undefined;
  /** Its settings become the defaults of all protected routes. */
  readonly validator: Validator | undefined;
}

/** `GET /private/custom` of the gateway asks for these. */
const CUSTOM_ROLES = ['role_a', 'role_c'];

/** The gateway's own routes are used where the configuration has the same ones. */
export function mapRoutes({ endpoints }: KrakendConfig): RouteMapping {
  const signing = endpoints.filter(({ signer }) => signer !== undefined);
  const token = signing.find(({ path, validator }) => path === '/token' && validator === undefined);
  const custom = endpoints.find(
    ({ path, method, validator, signer }) =>
      path === '/private/custom' &&
      method === 'GET' &&
      signer === undefined &&
      validator !== undefined &&
      sameRoles(validator),
  );
  const guarded = endpoints.find(({ validator }) => validator !== undefined);
  return {
    token,
    custom,
    others: endpoints.filter((endpoint) => endpoint !== token && endpoint !== custom),
    signer: (token ?? signing[0])?.signer,
    validator: (custom ?? guarded)?.validator,
  };
}

const sameRoles = ({ roles, scopes }: Validator): boolean =>
  scopes.length === 0 &&
  roles.length === CUSTOM_ROLES.length &&
  CUSTOM_ROLES.every((role) => roles.includes(role));
