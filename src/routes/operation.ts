import { Reflector } from '@nestjs/core';

/** A JSON Schema as OpenAPI 3.0 knows it. One with a `title` becomes a schema of that name in the document. */
export type OperationSchema = Readonly<Record<string, unknown>>;

/** What the OpenAPI document says about a route beside what its decorators declare. */
export interface OperationInfo {
  /**
   * Operation id, unique in the document: generated clients have a method of this name. Default: the one of
   * `@nestjs/swagger`; in the gateway handler and controller, e.g. `listOrders`.
   */
  id?: string;
  /** One line. */
  summary: string;
  /** Markdown. */
  description?: string;
  /** Request bodies by media type. The errors of bodies (400, 413, 415) are added. */
  body?: { required?: boolean; content: Readonly<Record<string, OperationSchema>> };
  /** Query parameters by name. */
  query?: Readonly<Record<string, OperationSchema>>;
  /** Successful answers by status. `@SignFields` adds its fields to the schemas. */
  answers?: Readonly<Record<number, { description: string; schema?: OperationSchema }>>;
  /** Error codes by status, beside those that `@RequireJwt`, `@SignFields` and `callsBackend` bring. */
  errors?: Readonly<Record<number, readonly string[]>>;
  /** The handler reads the token itself, as a bare `@RequireJwt` would. */
  takesToken?: boolean;
  /** True: the route is not documented, e.g. since it is another path of a documented one. */
  hidden?: boolean;
  /** Name of the endpoint in the metadata of the issuer (RFC 8414). */
  endpoint?: 'token' | 'revocation' | 'introspection' | 'jwks';
  /** True: the handler calls the backend, so the errors of the backend are added. */
  callsBackend?: boolean;
}

/**
 * Decorator: describes a route in the OpenAPI document. It only sets metadata, and loads no OpenAPI package.
 *
 * @example
 * ```ts
 * @Get('orders')
 * @Operation({ summary: 'Lists orders.' })
 * ```
 */
export const Operation = Reflector.createDecorator<OperationInfo>();
