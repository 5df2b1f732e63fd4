import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import { socketHandshake } from './socket-handshake.js';

/**
 * The request of a context: the request of Express or Fastify; for GraphQL the request that carries the operation; the
 * client of a WebSocket; the context of a microservice's message. The verified claims are stored with it, and
 * `request.user` is set on it.
 */
export type ContextRequest = object;

interface FastifyLike {
  readonly raw?: IncomingMessage;
}

/** Members that the context of GraphQL may have: Apollo, Mercurius, subscriptions of `graphql-ws`. */
interface GraphqlContext {
  readonly req?: ContextRequest & { readonly extra?: { readonly request?: IncomingMessage } };
  readonly request?: ContextRequest;
  readonly reply?: { readonly request?: ContextRequest };
  readonly extra?: { readonly request?: IncomingMessage };
  readonly res?: object;
}

/** Returns the context of a GraphQL field. A reference resolver has one argument less than other resolvers. */
function graphqlContext(context: ExecutionContext): GraphqlContext {
  const args = context.getArgs<unknown[]>();
  return (args.length === 3 ? args[1] : args[2]) as GraphqlContext;
}

/**
 * Returns the request of a context of Nest's own packages.
 *
 * @throws Error for an unknown type of context, a GraphQL context without a request, and a message without an object
 */
export function contextRequest(context: ExecutionContext): ContextRequest {
  const type = context.getType<string>();
  switch (type) {
    case 'http':
      return context.switchToHttp().getRequest<ContextRequest>();
    case 'graphql': {
      const { req, request, reply, extra } = graphqlContext(context);
      const found = req?.extra?.request ?? req ?? reply?.request ?? request ?? extra?.request;
      if (found === undefined)
        throw new Error(
          'the context of GraphQL holds no request: let the option context of GraphQLModule give { req }, or override getRequest() of AuthGuard',
        );
      return found;
    }
    case 'ws':
      return context.switchToWs().getClient<ContextRequest>();
    case 'rpc':
      return rpcRequest(context);
    default:
      throw new Error(
        `contexts of the type ${type} are not known: override getRequest() of AuthGuard`,
      );
  }
}

/** Like {@link contextRequest}, but `undefined` where that throws, e.g. in contexts that only an override knows. */
export function knownRequest(context: ExecutionContext): ContextRequest | undefined {
  try {
    return contextRequest(context);
  } catch {
    return undefined;
  }
}

/** Returns the context of a message if it is an object, else the data of the message. */
function rpcRequest(context: ExecutionContext): ContextRequest {
  const rpc = context.switchToRpc();
  const own: unknown = rpc.getContext();
  if (typeof own === 'object' && own !== null) return own;
  const data: unknown = rpc.getData();
  if (typeof data === 'object' && data !== null) return data;
  throw new Error('the message has neither a context nor members that could hold a token');
}

/** Returns the response of a context; `undefined` where there is none with headers. */
export function contextResponse(context: ExecutionContext): object | undefined {
  const type = context.getType<string>();
  if (type === 'http') return context.switchToHttp().getResponse<object>();
  if (type !== 'graphql') return undefined;
  const { res, reply } = graphqlContext(context);
  return res ?? reply;
}

/**
 * Returns the request in which the token is looked for, in the form of Node: for HTTP the request itself, else a
 * stand-in with the headers of the connection or the message.
 *
 * @param authHeaderName name of the token's header in messages and handshakes, in lower case
 */
export function tokenCarrier(
  request: ContextRequest,
  context: ExecutionContext,
  authHeaderName: string,
): IncomingMessage {
  switch (context.getType<string>()) {
    case 'ws':
      return socketHandshake(request, authHeaderName);
    case 'rpc':
      return messageCarrier(request, context, authHeaderName);
    case 'graphql':
      return withoutSafeHandshake(rawRequest(request));
    default:
      return rawRequest(request);
  }
}

/**
 * Replaces the safe method of a handshake, which opens a subscription, so that no page of another origin can make it
 * with a cookie. Other requests are returned unchanged.
 */
const withoutSafeHandshake = (request: IncomingMessage): IncomingMessage => {
  const { headers, rawHeaders, url, socket } = request;
  return headers.upgrade === undefined
    ? request
    : carrier(headers, rawHeaders, { url, socket, method: 'CONNECT' });
};

/** Returns Node's request. A request of Fastify has it as `raw`. */
export const rawRequest = (request: ContextRequest): IncomingMessage =>
  (request as FastifyLike).raw ?? (request as IncomingMessage);

/** Returns a stand-in with the token from the metadata of a message; without metadata, from a member of the data. */
function messageCarrier(request: object, context: ExecutionContext, name: string): IncomingMessage {
  const metadata = messageMetadata(request);
  const values = (metadata ?? memberOf(context.switchToRpc().getData()))(name);
  const rawHeaders = values.flatMap((value) => [name, value]);
  return carrier({ [name]: values[0] }, rawHeaders);
}

type Lookup = (name: string) => string[];

/** Looks up own members only. */
const memberOf =
  (data: unknown): Lookup =>
  (name) =>
    typeof data === 'object' && data !== null && Object.hasOwn(data, name)
      ? texts(Reflect.get(data, name))
      : [];

/** Methods of the contexts of `@nestjs/microservices` and of gRPC's `Metadata`. */
interface MessageContext {
  /** NATS */
  getHeaders?(): { get?(name: string): unknown; values?(name: string): unknown } | undefined;
  /** Kafka, RabbitMQ */
  getMessage?(): { headers?: object; properties?: { headers?: object } };
  /** MQTT 5 */
  getPacket?(): { properties?: { userProperties?: object } };
  /** gRPC */
  getMap?(): object;
  get?(name: string): unknown;
}

function messageMetadata(context: MessageContext): Lookup | undefined {
  if (typeof context.getMap === 'function' && typeof context.get === 'function')
    return (name) => texts(context.get?.(name));
  const message = typeof context.getMessage === 'function' ? context.getMessage() : undefined;
  const headers =
    message?.properties?.headers ??
    message?.headers ??
    (typeof context.getPacket === 'function'
      ? context.getPacket().properties?.userProperties
      : undefined);
  if (headers !== undefined) return inAnyCase(headers);
  const ofNats = typeof context.getHeaders === 'function' ? context.getHeaders() : undefined;
  return ofNats === undefined
    ? undefined
    : (name) => texts(ofNats.values?.(name) ?? ofNats.get?.(name));
}

/** Looks up headers case-insensitively. Two spellings of one name count as two headers. */
const inAnyCase =
  (headers: object): Lookup =>
  (name) =>
    Object.entries(headers).flatMap(([key, value]) =>
      key.toLowerCase() === name ? texts(value) : [],
    );

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Buffer.isBuffer(value)) return [value.toString()];
  return Array.isArray(value) ? value.flatMap(texts) : [];
}

/** Creates a stand-in for an HTTP request, with the members that are read to find a token. */
export const carrier = (
  headers: IncomingMessage['headers'],
  rawHeaders: string[],
  parts: Partial<Pick<IncomingMessage, 'url' | 'method' | 'socket'>> = {},
): IncomingMessage => ({ headers, rawHeaders, ...parts }) as IncomingMessage;
