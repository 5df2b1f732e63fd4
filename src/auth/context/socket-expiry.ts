import { nowSeconds } from '../../core/time/index.js';
import { toNumber } from '../../core/json/index.js';
import type { TokenPolicy, VerifiedClaims } from '../../core/verify/index.js';

/** Longest delay of a timer, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;
/** Close code for a message, here the handshake, that violates the policy (RFC 6455 section 7.4.1). */
const POLICY_VIOLATION = 1008;

/** A client of socket.io or `ws`. */
export interface SocketClient {
  once?(event: string, listener: () => void): unknown;
  disconnect?(close: boolean): unknown;
  close?(code: number, reason: string): unknown;
}

const closing = new WeakMap<object, { readonly exp: number; readonly timer: NodeJS.Timeout }>();

/** Closes a connection when the token that opened it expires. */
export function closeAtExpiry(
  client: SocketClient,
  claims: VerifiedClaims,
  { leeway }: TokenPolicy,
): void {
  const exp = (toNumber(claims.exp) ?? 0) + leeway;
  const known = closing.get(client);
  if (known?.exp === exp) return;
  if (known === undefined) {
    const forget = (): void => clearTimeout(closing.get(client)?.timer);
    // socket.io, ws
    client.once?.('disconnect', forget);
    client.once?.('close', forget);
  } else clearTimeout(known.timer);
  arm(client, exp);
}

function arm(client: SocketClient, exp: number): void {
  const ms = (exp - nowSeconds()) * 1000;
  const timer = setTimeout(
    () => (ms > LONGEST_MS ? arm(client, exp) : closeSocket(client, 'token expired')),
    Math.max(0, Math.min(ms, LONGEST_MS)),
  ).unref();
  closing.set(client, { exp, timer });
}

const closed = new WeakSet<SocketClient>();

/** True after {@link closeSocket}. A client of `ws` may go on sending until it answers the close frame. */
export const wasClosed = (client: SocketClient): boolean => closed.has(client);

/** @param reason text for the client. It must not tell anything about the token */
export function closeSocket(client: SocketClient, reason: string): void {
  closed.add(client);
  if (client.disconnect !== undefined) client.disconnect(true);
  else client.close?.(POLICY_VIOLATION, reason);
}
