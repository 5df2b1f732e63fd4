import type { IncomingMessage } from 'node:http';

/** A client of socket.io. */
interface SocketIoClient {
  readonly handshake?: { readonly auth?: Readonly<Record<string, unknown>> };
  readonly request?: IncomingMessage;
}

/** The request that opened a connection; clients of `ws` do not know it. */
const upgrades = new WeakMap<object, IncomingMessage>();

/** Notes the request that opened the connection of a client. */
export function noteUpgrade(client: object, request: IncomingMessage): void {
  upgrades.set(client, request);
}

/** The token of `new WebSocket(url, ['bearer', token])`: browsers can set no other header. */
const SUBPROTOCOL = /^\s*bearer\s*,\s*([\w.-]+)\s*$/i;

/**
 * The handshake of a client as a request with its token in a header, wherever it was: in that header, in `auth`
 * of socket.io as `token`, or as the subprotocol after `bearer`. Several are several headers.
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
    // No page of another origin may open it with a cookie, though a handshake is a GET.
    method: 'CONNECT',
  } as IncomingMessage;
}
