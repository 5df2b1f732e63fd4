import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import type { Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { REQUIRE_JWT, type ProtectedRoutes } from '../auth/index.js';
import { Operation, type Route } from '../routes/index.js';
import { SIGN_FIELDS, type SignedRoutes } from '../signing/index.js';
import { TokenThrottle } from '../throttle/index.js';
import {
  addErrors,
  BACKEND_ERRORS,
  BODY_ERRORS,
  OVERLOAD_ERRORS,
  ERROR_SCHEMA,
  THROTTLE_ERRORS,
  type ErrorCodes,
} from './errors.js';
import { describeProtection } from './protection.js';
import { addSignedFields, SIGNING_ERRORS } from './signed-fields.js';

type PathItem = OpenAPIObject['paths'][string];
export type OperationObject = NonNullable<PathItem['get']>;

/** Where the document's knowledge of routes comes from. */
export interface DocumentSources {
  routes: readonly Route[];
  reflector: Reflector;
  protectedRoutes: ProtectedRoutes;
  signedRoutes: SignedRoutes;
  /** Requests to the token endpoints are limited. */
  throttled: boolean;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'options'] as const;

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
export function completeDocument(document: OpenAPIObject, sources: DocumentSources): OpenAPIObject {
  const routes = new Map(
    sources.routes.map((route) => [operationId(route.controller.name, route.handler.name), route]),
  );
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Error: ERROR_SCHEMA };
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method];
      const route = routes.get(operation?.operationId ?? '');
      if (operation === undefined || route === undefined) continue;
      // Probes are answered under any load.
      const errors = path.startsWith('/health/') ? [] : [OVERLOAD_ERRORS];
      complete(document, operation, method, route, sources, errors);
    }
  dropEmptySchemas(document);
  return document;
}

/** Classes whose members nobody described say nothing; what describes the route says it all. */
function dropEmptySchemas({ paths, components }: OpenAPIObject): void {
  const used = JSON.stringify([paths, components]);
  for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
    const empty = 'properties' in schema && Object.keys(schema.properties ?? {}).length === 0;
    if (empty && !used.includes(`"#/components/schemas/${name}"`))
      delete components?.schemas?.[name];
  }
}

function complete(
  document: OpenAPIObject,
  operation: OperationObject,
  method: string,
  { handler, controller }: Route,
  { reflector, protectedRoutes, signedRoutes, throttled }: DocumentSources,
  errors: ErrorCodes[],
): void {
  const texts: string[] = [];
  const info = reflector.get(Operation, handler);
  if (info !== undefined) {
    operation.summary ??= info.summary;
    if (info.description !== undefined) texts.push(info.description);
    if (info.body !== undefined)
      operation.requestBody = {
        required: info.body.required ?? false,
        content: Object.fromEntries(
          Object.entries(info.body.content).map(([type, schema]) => [type, { schema }]),
        ),
      };
    if (info.query !== undefined)
      operation.parameters = [
        ...(operation.parameters ?? []).filter(
          (parameter) => !('in' in parameter) || parameter.in !== 'query',
        ),
        ...Object.entries(info.query).map(([name, schema]) => ({
          in: 'query' as const,
          name,
          schema,
        })),
      ];
    for (const [status, { description, schema }] of Object.entries(info.answers ?? {}))
      operation.responses[status] = {
        description,
        ...(schema === undefined ? {} : { content: { 'application/json': { schema } } }),
      };
    errors.push(info.errors ?? {});
    if (info.callsBackend === true) errors.push(BACKEND_ERRORS);
  }
  if (operation.requestBody !== undefined) errors.push(BODY_ERRORS);
  const policy =
    reflector.getAllAndOverride(REQUIRE_JWT, [handler, controller]) !== undefined
      ? protectedRoutes.policy(handler, controller)
      : info?.takesToken === true
        ? protectedRoutes.defaults()
        : undefined;
  if (policy !== undefined) {
    const protection = describeProtection(policy, method);
    document.components ??= {};
    document.components.securitySchemes = {
      ...document.components.securitySchemes,
      ...protection.schemes,
    };
    operation.security = protection.security;
    texts.push(protection.text);
    errors.push(protection.errors);
  }
  if (reflector.get(SIGN_FIELDS, handler) !== undefined) {
    addSignedFields(document, operation, signedRoutes.policy(handler));
    errors.push(SIGNING_ERRORS);
  }
  const guards = [handler, controller].flatMap(
    (target) => (Reflect.getMetadata(GUARDS_METADATA, target) as unknown[] | undefined) ?? [],
  );
  if (throttled && guards.includes(TokenThrottle)) errors.push(THROTTLE_ERRORS);
  operation.description = [operation.description, ...texts].filter(Boolean).join('\n\n');
  addErrors(operation, errors);
}
