import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import type { Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { REQUIRE_JWT, type ProtectedRoutes } from '../auth/index.js';
import type { TokenPolicy } from '../core/verify/index.js';
import { Operation, type Route } from '../routes/index.js';
import { SIGN_FIELDS, type SignedRoutes } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import { dropEmptySchemas, nameSchemas } from './component-schemas.js';
import { METHODS, type OperationObject } from './document-types.js';
import {
  addErrors,
  BACKEND_ERRORS,
  BODY_ERRORS,
  ERROR_SCHEMA,
  OVERLOAD_ERRORS,
  THROTTLE_ERRORS,
} from './errors.js';
import { LOGIN, loginScheme, type LoginScheme } from './login-scheme.js';
import { addOperationInfo, addPathParameters } from './operation-info.js';
import { describeProtection } from './protection.js';
import { addSignedFields, SIGNING_ERRORS } from './signed-fields.js';

/** What the document is completed from. */
export interface DocumentSources {
  routes: readonly Route[];
  reflector: Pick<Reflector, 'get' | 'getAllAndOverride'>;
  /** `undefined` where there is no `AuthModule`. */
  protectedRoutes: Pick<ProtectedRoutes, 'policy' | 'defaults'> | undefined;
  /** `undefined` where there is no `SigningModule`. */
  signedRoutes: Pick<SignedRoutes, 'policy'> | undefined;
  /** Requests to the token endpoints are limited. */
  throttled: boolean;
  /** Requests that cannot be served in time get 503 `overloaded`, as in the gateway. */
  shedsLoad: boolean;
  /** `undefined` where no clients are registered; `itself`: some of them get tokens without a login. */
  clients: { itself: boolean } | undefined;
  /** `BackendModule` is imported, so its errors are documented. */
  hasBackend: boolean;
}

/** `@nestjs/swagger` numbers the operations of a route with several paths: `Controller_method[0]`. */
const PATH_INDEX = /\[\d+\]$/;

/** The operation id by which the route of an operation is found. */
export const operationId = (controller: string, method: string): string =>
  `${controller}_${method}`;

/**
 * Adds to an OpenAPI 3.0 document what the decorators of this package declare: tokens, roles and scopes, signed fields,
 * and their error answers. What the decorators of `@nestjs/swagger` say about other things is kept.
 *
 * @param document made with {@link operationId}; it is changed in place
 */
export function completeFrom(document: OpenAPIObject, sources: DocumentSources): OpenAPIObject {
  const routes = new Map(
    sources.routes.map((route) => [operationId(route.controller.name, route.handler.name), route]),
  );
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Error: ERROR_SCHEMA };
  const login = loginScheme(document, routes, sources.reflector, sources.clients);
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method];
      const route = routes.get(operation?.operationId?.replace(PATH_INDEX, '') ?? '');
      if (operation === undefined || route === undefined) continue;
      if (sources.reflector.get(Operation, route.handler)?.hidden === true) delete item[method];
      else completeOperation(document, { operation, path, method, route, login }, sources);
      if (Object.keys(item).length === 0) delete document.paths[path];
    }
  dropEmptySchemas(document);
  nameSchemas(document);
  return document;
}

/** An operation of the document, and its route. */
interface RoutedOperation {
  operation: OperationObject;
  path: string;
  method: string;
  route: Route;
  /** See {@link loginScheme}. */
  login: LoginScheme | undefined;
}

function completeOperation(
  document: OpenAPIObject,
  { operation, path, method, route, login }: RoutedOperation,
  sources: DocumentSources,
): void {
  const { reflector, signedRoutes } = sources;
  const info = reflector.get(Operation, route.handler);
  if (info !== undefined) addOperationInfo(operation, info);
  addPathParameters(operation, path);

  const policy = tokenPolicy(route, info?.takesToken === true, sources);
  const protection = policy && describeProtection(policy, method);
  if (protection !== undefined) {
    const components = (document.components ??= {});
    // The token of a login is sent as a bearer token.
    const byLogin = 'bearer' in protection.schemes ? login : undefined;
    components.securitySchemes = {
      ...components.securitySchemes,
      ...protection.schemes,
      ...(byLogin === undefined ? {} : { [LOGIN]: byLogin }),
    };
    operation.security = [
      ...(byLogin === undefined ? [] : [{ [LOGIN]: [] }]),
      ...protection.security,
    ];
    if (byLogin !== undefined)
      for (const flow of Object.values(byLogin.flows))
        for (const scope of policy?.scopes ?? []) flow.scopes[scope] = '';
  }

  const signing =
    reflector.get(SIGN_FIELDS, route.handler) === undefined
      ? undefined
      : signedRoutes?.policy(route.handler);
  if (signing !== undefined) addSignedFields(document, operation, signing);

  operation.description = [operation.description, info?.description, protection?.text]
    .filter(Boolean)
    .join('\n\n');
  addErrors(
    operation,
    [
      // Probes are answered under overload, too.
      !sources.shedsLoad || path.startsWith('/health/') ? undefined : OVERLOAD_ERRORS,
      info?.errors,
      sources.hasBackend && info?.callsBackend === true ? BACKEND_ERRORS : undefined,
      operation.requestBody === undefined ? undefined : BODY_ERRORS,
      protection?.errors,
      signing === undefined ? undefined : SIGNING_ERRORS,
      sources.throttled && isThrottled(route) ? THROTTLE_ERRORS : undefined,
    ].filter((codes) => codes !== undefined),
  );
}

/** The policy of a route with `@RequireJwt`, or of one whose handler reads the token itself. */
function tokenPolicy(
  { handler, controller }: Route,
  takesToken: boolean,
  { reflector, protectedRoutes }: DocumentSources,
): TokenPolicy | undefined {
  if (reflector.getAllAndOverride(REQUIRE_JWT, [handler, controller]) !== undefined)
    return protectedRoutes?.policy(handler, controller);
  return takesToken ? protectedRoutes?.defaults() : undefined;
}

const isThrottled = ({ handler, controller }: Route): boolean =>
  [handler, controller].some((target) =>
    (Reflect.getMetadata(GUARDS_METADATA, target) as unknown[] | undefined)?.includes(
      TokenThrottleGuard,
    ),
  );
