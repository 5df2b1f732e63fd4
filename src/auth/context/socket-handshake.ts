import type { IncomingMessage } from 'node:http';

/** A client of socket.io. */
interface SocketIoClient {
  readonly handshake?: { readonly auth?: Readonly<Record<string, unknown>> };
  readonly request?: IncomingMessage;
}

/** By client: the request that opened the connection. Clients of `ws` do not hold it. */
const upgrades = new WeakMap<object, IncomingMessage>();

/** Stores the request that opened the connection of a client. */
export function noteUpgrade(client: object, request: IncomingMessage): void {
  upgrades.set(client, request);
}

/** The token of `new WebSocket(url, ['bearer', token])`, as browsers can set no other header. */
const SUBPROTOCOL = /^\s*bearer\s*,\s*([\w.-]+)\s*$/i;

/**
 * Returns the handshake of a client as a request with the token in a header. The token may come in that header, as
 * `token` in `auth` of socket.io, or as the subprotocol after `bearer`. Several tokens become several headers.
 */
export function socketHandshake(client: object, authHeaderName: string): IncomingMessage {
  const { handshake, request = upgrades.get(client) } = client as SocketIoClient;
  const headers = request?.headers ?? {};
  const rawHeaders = [...(request?.rawHeaders ?? [])];
  const given = handshake?.auth?.token;
  const [, ofProtocol] = SUBPROTOCOL.exec(headers['sec-websocket-protocol'] ?? '') ?? [];
  const tokens = [typeof given === 'string' ? given : undefined, ofProtocol].filter(
    (token) => token !== undefined && token !== '',
  );
  const values = tokens.map((token) => `Bearer ${token?.replace(/^Bearer +/i, '')}`);
  for (const value of values) rawHeaders.push(authHeaderName, value);
  return {
    headers: { ...headers, [authHeaderName]: headers[authHeaderName] ?? values[0] },
    rawHeaders,
    url: request?.url,
    socket: request?.socket,
    // Not GET, which is a safe method: no page of another origin may open a connection with a cookie.
    method: 'CONNECT',
  } as IncomingMessage;
}
