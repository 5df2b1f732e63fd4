import { ASSERTION_ALGORITHMS } from '../core/clients/index.js';
import type { OperationInfo } from '../routes/index.js';

/** What the metadata depend on; only what is switched on is listed. */
export interface ServerMetadataOptions {
  /** `iss` of the tokens. Default: that of `SigningModule`. */
  issuer?: string;
  /** Values of `grant_type`: what the login can, and `refresh_token` where refresh is on. Default `password`. */
  grants?: readonly string[];
  /** How clients authenticate at the token endpoint. Default `none`. */
  authMethods?: readonly string[];
  /** How clients authenticate at `POST /token/revoke`. Default: `none`, the token is the credential. */
  revocation?: readonly string[];
  /**
   * Types of token that `POST /token/introspect` takes (`Bearer`, `DPoP`), and how clients authenticate there.
   * Default: none is told.
   */
  introspection?: readonly string[];
  /** `/docs` exists. Default false. */
  docs?: boolean;
  /** Algorithms of DPoP proofs at the token endpoint (RFC 9449 section 5.1). Left out: it takes none. */
  dpopAlgorithms?: readonly string[];
}

/** Routes that the metadata lead to. */
export type OAuthEndpoint = NonNullable<OperationInfo['endpoint']>;

/** What the metadata tell of the routes and the keys. */
export interface ServerMetadataFacts {
  /** `iss` of the tokens. */
  issuer: string;
  /** Public URL of the gateway, without a slash at its end. */
  base: string;
  /** Paths of the endpoints that there are, as `@Operation` names them. */
  endpoints: Readonly<Partial<Record<OAuthEndpoint, string>>>;
  /** Algorithms of the keys that are published. */
  algorithms: readonly string[];
  /** Scopes that routes ask for. */
  scopes: readonly string[];
  /** The gateway itself answers `client_credentials`. */
  grantsItself: boolean;
}

/**
 * Authorization server metadata (RFC 8414 section 2), which serve as those of OpenID Connect Discovery
 * 1.0, too: clients and services look for either. The login decides who may use which grant with which
 * credentials; what it can is told as the options say.
 */
export function serverMetadata(
  options: ServerMetadataOptions,
  { issuer, base, endpoints, algorithms, scopes, grantsItself }: ServerMetadataFacts,
): object {
  const { grants = ['password'], authMethods = ['none'], revocation = ['none'] } = options;
  const { introspection = [], docs = false, dpopAlgorithms } = options;
  const url = (name: OAuthEndpoint): string | undefined =>
    endpoints[name] === undefined ? undefined : base + endpoints[name];
  const own = grantsItself ? ['client_credentials'] : [];
  const metadata: Record<string, unknown> = {
    issuer,
    token_endpoint: url('token'),
    jwks_uri: url('jwks'),
    scopes_supported: scopes,
    // Of an authorization endpoint, which is not here (RFC 6749 section 3.1).
    response_types_supported: [],
    ...(endpoints.token === undefined
      ? {}
      : {
          grant_types_supported: [...new Set([...grants, ...own])],
          ...authentication('token', authMethods),
          dpop_signing_alg_values_supported: dpopAlgorithms,
        }),
    revocation_endpoint: url('revocation'),
    ...(endpoints.revocation === undefined ? {} : authentication('revocation', revocation)),
    introspection_endpoint: url('introspection'),
    ...(endpoints.introspection === undefined
      ? {}
      : authentication('introspection', introspection)),
    service_documentation: docs ? `${base}/docs` : undefined,
    // All users have one `sub` for all clients.
    subject_types_supported: ['public'],
    // There is no member for access tokens, so services go by this one (go-oidc, and Signet itself).
    id_token_signing_alg_values_supported: algorithms,
  };
  // RFC 8414 section 3.2: what has no elements is left out.
  return Object.fromEntries(
    Object.entries(metadata).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** How clients authenticate at an endpoint, and with which algorithms where they sign (RFC 8414 section 2). */
const authentication = (endpoint: string, methods: readonly string[]): Record<string, unknown> => ({
  [`${endpoint}_endpoint_auth_methods_supported`]: methods,
  [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: methods.includes('private_key_jwt')
    ? ASSERTION_ALGORITHMS
    : undefined,
});
