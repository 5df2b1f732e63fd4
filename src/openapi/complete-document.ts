import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import type { Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { REQUIRE_JWT, type ProtectedRoutes } from '../auth/index.js';
import type { TokenPolicy } from '../core/verify/index.js';
import { Operation, type Route } from '../routes/index.js';
import { SIGN_FIELDS, type SignedRoutes } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import type { OperationObject } from './document-types.js';
import {
  addErrors,
  BACKEND_ERRORS,
  BODY_ERRORS,
  ERROR_SCHEMA,
  OVERLOAD_ERRORS,
  THROTTLE_ERRORS,
} from './errors.js';
import { addOperationInfo } from './operation-info.js';
import { describeProtection } from './protection.js';
import { addSignedFields, SIGNING_ERRORS } from './signed-fields.js';

/** Where the document's knowledge of routes comes from. */
export interface DocumentSources {
  routes: readonly Route[];
  reflector: Pick<Reflector, 'get' | 'getAllAndOverride'>;
  /** `undefined` where there is no `AuthModule`. */
  protectedRoutes: Pick<ProtectedRoutes, 'policy' | 'defaults'> | undefined;
  /** `undefined` where there is no `SigningModule`. */
  signedRoutes: Pick<SignedRoutes, 'policy'> | undefined;
  /** Requests to the token endpoints are limited. */
  throttled: boolean;
  /** Requests that cannot be served in time are refused, as the gateway does. */
  shedsLoad: boolean;
  /** `BackendModule` is there; else nothing of it fails. */
  hasBackend: boolean;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'options'] as const;

/** `@nestjs/swagger` numbers the operations of a route with several paths: `Controller_method[0]`. */
const PATH_INDEX = /\[\d+\]$/;

/** How the operations of the document are named, which is how they are found again. */
export const operationId = (controller: string, method: string): string =>
  `${controller}_${method}`;

/**
 * Adds to an OpenAPI 3.0 document what the decorators of this package know: tokens, roles and
 * scopes, signed fields, and every answer that comes of them. What `@nestjs/swagger`'s own
 * decorators said stays, unless it is about the same.
 *
 * @param document made with {@link operationId}; changed in place
 */
export function completeFrom(document: OpenAPIObject, sources: DocumentSources): OpenAPIObject {
  const routes = new Map(
    sources.routes.map((route) => [operationId(route.controller.name, route.handler.name), route]),
  );
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Error: ERROR_SCHEMA };
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method];
      const route = routes.get(operation?.operationId?.replace(PATH_INDEX, '') ?? '');
      if (operation === undefined || route === undefined) continue;
      if (sources.reflector.get(Operation, route.handler)?.hidden === true) delete item[method];
      else completeOperation(document, { operation, path, method, route }, sources);
      if (Object.keys(item).length === 0) delete document.paths[path];
    }
  dropEmptySchemas(document);
  return document;
}

/** An operation, where it stands in the document, and the route behind it. */
interface RoutedOperation {
  operation: OperationObject;
  path: string;
  method: string;
  route: Route;
}

function completeOperation(
  document: OpenAPIObject,
  { operation, path, method, route }: RoutedOperation,
  sources: DocumentSources,
): void {
  const { reflector, signedRoutes } = sources;
  const info = reflector.get(Operation, route.handler);
  if (info !== undefined) addOperationInfo(operation, info);

  const policy = tokenPolicy(route, info?.takesToken === true, sources);
  const protection = policy && describeProtection(policy, method);
  if (protection !== undefined) {
    const components = (document.components ??= {});
    components.securitySchemes = { ...components.securitySchemes, ...protection.schemes };
    operation.security = protection.security;
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
      // Probes are answered under any load.
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

/** What the route asks of a token: by `@RequireJwt`, or because its handler reads the token itself. */
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

/** `@nestjs/swagger` lists a class whose members nobody described; its schema would be `{}`. */
function dropEmptySchemas({ paths, components }: OpenAPIObject): void {
  const used = JSON.stringify([paths, components]);
  for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
    const empty = 'properties' in schema && Object.keys(schema.properties ?? {}).length === 0;
    if (empty && !used.includes(`"#/components/schemas/${name}"`))
      delete components?.schemas?.[name];
  }
}
