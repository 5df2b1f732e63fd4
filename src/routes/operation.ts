import { Reflector } from '@nestjs/core';

/** A JSON Schema as OpenAPI 3.0 knows it. One with a `title` becomes a schema of that name in the document. */
export type OperationSchema = Readonly<Record<string, unknown>>;

/** What a route's decorators do not tell about it, for the OpenAPI document. */
export interface OperationInfo {
  /**
   * Name of the operation, unique in the document: generated clients have a method of this name. Default: the
   * one that `@nestjs/swagger` gives it; in the gateway made of handler and controller, `listOrders`.
   */
  id?: string;
  /** One line. */
  summary: string;
  /** Markdown. */
  description?: string;
  /** Request bodies by media type. The body limit and the answers that go with a body are added. */
  body?: { required?: boolean; content: Readonly<Record<string, OperationSchema>> };
  /** Query parameters by name. */
  query?: Readonly<Record<string, OperationSchema>>;
  /** Answers without error, by status. `@SignFields` adds its fields to the schemas. */
  answers?: Readonly<Record<number, { description: string; schema?: OperationSchema }>>;
  /** Error codes by status, beside those that `@RequireJwt`, `@SignFields` and `callsBackend` bring. */
  errors?: Readonly<Record<number, readonly string[]>>;
  /** The handler reads the token itself, as a bare `@RequireJwt` would. */
  takesToken?: boolean;
  /** It stands for a route that is in the document already, at another path. */
  hidden?: boolean;
  /** What the metadata of the issuer call it (RFC 8414): clients find it there. */
  endpoint?: 'token' | 'revocation' | 'introspection' | 'jwks';
  /** The handler asks the backend: its failures are answers of this route too. */
  callsBackend?: boolean;
}

/**
 * Describes a route in the OpenAPI document. Plain metadata: nothing of OpenAPI is loaded for it.
 *
 * @example
 * ```ts
 * @Get('orders')
 * @Operation({ summary: 'Lists orders.' })
 * ```
 */
export const Operation = Reflector.createDecorator<OperationInfo>();
