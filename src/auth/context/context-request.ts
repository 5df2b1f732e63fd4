import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import { socketHandshake } from './socket-handshake.js';

/**
 * A request in the application's form, in whatever context: that of Express or Fastify; for GraphQL the one
 * below the operation; a client of a WebSocket; the context of a microservice's message. What is verified of a
 * token is kept with it, and `request.user` is set on it.
 */
export type ContextRequest = object;

interface FastifyLike {
  readonly raw?: IncomingMessage;
}

/** What may stand in the context of GraphQL: Apollo, Mercurius, subscriptions of `graphql-ws`. */
interface GraphqlContext {
  readonly req?: ContextRequest & { readonly extra?: { readonly request?: IncomingMessage } };
  readonly request?: ContextRequest;
  readonly reply?: { readonly request?: ContextRequest };
  readonly extra?: { readonly request?: IncomingMessage };
  readonly res?: object;
}

/** The context of a GraphQL field; a resolver of references has one argument less. */
function graphqlContext(context: ExecutionContext): GraphqlContext {
  const args = context.getArgs<unknown[]>();
  return (args.length === 3 ? args[1] : args[2]) as GraphqlContext;
}

/**
 * The request of a context, as Nest's own packages hand it in.
 *
 * @throws Error for a kind of context that is not known, and where GraphQL's context holds no request
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

/** The same; `undefined` where there is none, e.g. in contexts that only an override knows. */
export function knownRequest(context: ExecutionContext): ContextRequest | undefined {
  try {
    return contextRequest(context);
  } catch {
    return undefined;
  }
}

/** The context of a message if it is an object, else the data of the message. */
function rpcRequest(context: ExecutionContext): ContextRequest {
  const rpc = context.switchToRpc();
  const own: unknown = rpc.getContext();
  if (typeof own === 'object' && own !== null) return own;
  const data: unknown = rpc.getData();
  if (typeof data === 'object' && data !== null) return data;
  throw new Error('the message has neither a context nor members that could hold a token');
}

/** The answer to the request of a context; `undefined` where there is none with headers. */
export function contextResponse(context: ExecutionContext): object | undefined {
  const type = context.getType<string>();
  if (type === 'http') return context.switchToHttp().getResponse<object>();
  if (type !== 'graphql') return undefined;
  const { res, reply } = graphqlContext(context);
  return res ?? reply;
}

/**
 * What of a request is looked at for its token, in the form of Node: the very request for HTTP, else what a
 * connection or a message has in its place.
 *
 * @param authHeaderName lower case: by this name the token of a message or a handshake is found
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

/** Subscriptions are opened by a handshake, which no page of another origin may make with a cookie. */
const withoutSafeHandshake = (request: IncomingMessage): IncomingMessage => {
  const { headers, rawHeaders, url, socket } = request;
  return headers.upgrade === undefined
    ? request
    : carrier(headers, rawHeaders, { url, socket, method: 'CONNECT' });
};

/** Node's request, which Fastify has in its own. */
export const rawRequest = (request: ContextRequest): IncomingMessage =>
  (request as FastifyLike).raw ?? (request as IncomingMessage);

/** Metadata of a message by the ways of the transports; where a transport has none, a member of the data. */
function messageCarrier(request: object, context: ExecutionContext, name: string): IncomingMessage {
  const metadata = messageMetadata(request);
  const values = (metadata ?? memberOf(context.switchToRpc().getData()))(name);
  const rawHeaders = values.flatMap((value) => [name, value]);
  return carrier({ [name]: values[0] }, rawHeaders);
}

type Lookup = (name: string) => string[];

/** By own members only. */
const memberOf =
  (data: unknown): Lookup =>
  (name) =>
    typeof data === 'object' && data !== null && Object.hasOwn(data, name)
      ? texts(Reflect.get(data, name))
      : [];

/** What the contexts of `@nestjs/microservices` and gRPC's `Metadata` have. */
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

/** Names of headers are compared without case; two spellings are two headers. */
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

/** A stand-in for a request of HTTP, with what is looked at for a token. */
export const carrier = (
  headers: IncomingMessage['headers'],
  rawHeaders: string[],
  parts: Partial<Pick<IncomingMessage, 'url' | 'method' | 'socket'>> = {},
): IncomingMessage => ({ headers, rawHeaders, ...parts }) as IncomingMessage;
