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
import { addOperationInfo, addPathParameters } from './operation-info.js';
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
  /** Clients of the token endpoint are registered; `itself`: some get tokens without a login. */
  clients: { itself: boolean } | undefined;
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
  const login = loginScheme(document, routes, sources);
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

/** An operation, where it stands in the document, and the route behind it. */
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
    // Whoever logs in gets a token that is sent as the other one.
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

/** Name of the scheme of {@link loginScheme}. */
const LOGIN = 'login';

/** How a token is asked for (OpenAPI 3.0, OAuth Flows Object). */
type LoginScheme = NonNullable<ReturnType<typeof loginScheme>>;

/**
 * "Authorize" of Swagger UI asks the token endpoint, where the document has one: with user and password, or
 * as a client that gets tokens for itself.
 */
function loginScheme(
  { paths }: OpenAPIObject,
  routes: ReadonlyMap<string, Route>,
  { reflector, clients }: DocumentSources,
) {
  const tokenUrl = Object.keys(paths).find((path) => {
    const route = routes.get(paths[path]?.post?.operationId ?? '');
    return route !== undefined && reflector.get(Operation, route.handler)?.endpoint === 'token';
  });
  if (tokenUrl === undefined) return undefined;
  const flow = (): { tokenUrl: string; scopes: Record<string, string> } => ({
    tokenUrl,
    scopes: {},
  });
  return {
    type: 'oauth2' as const,
    description:
      clients === undefined
        ? 'Clients are not registered here: `client_id` and `client_secret` stay empty.'
        : '`client_id` and `client_secret` are those of a registered client; of a public one `client_id` alone, in the request body.',
    flows: {
      password: flow(),
      ...(clients?.itself === true ? { clientCredentials: flow() } : {}),
    },
  };
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

interface TitledSchema {
  readonly title?: string;
}

/** Schemas with a title become components, which clients get types of; alike ones the same, others a number. */
function nameSchemas({ paths, components = {} }: OpenAPIObject): void {
  const schemas = (components.schemas ??= {}) as Record<string, unknown>;
  const named = (title: string, schema: object): string => {
    const text = JSON.stringify(schema);
    for (let number = 1; ; number++) {
      const name = number === 1 ? title : `${title}${number}`;
      schemas[name] ??= schema;
      if (JSON.stringify(schemas[name]) === text) return name;
    }
  };
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(
      Object.entries(value).map(([member, inner]) => [member, visit(inner)]),
    );
    const { title, ...schema } = copy as TitledSchema;
    return typeof title === 'string' && 'type' in schema
      ? { $ref: `#/components/schemas/${named(title, schema)}` }
      : copy;
  };
  for (const item of Object.values(paths))
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      if (operation.requestBody !== undefined)
        operation.requestBody = visit(operation.requestBody) as typeof operation.requestBody;
      operation.responses = visit(operation.responses) as typeof operation.responses;
    }
}
