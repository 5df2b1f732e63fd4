import { nowSeconds } from '../../core/time/index.js';
import { toNumber } from '../../core/json/index.js';
import type { TokenPolicy, VerifiedClaims } from '../../core/verify/index.js';

/** The longest time that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;
/** RFC 6455 section 7.4.1: a message, here the handshake, violates the policy. */
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

/** Whether {@link closeSocket} was called: clients of `ws` may go on sending until they answer it. */
export const wasClosed = (client: SocketClient): boolean => closed.has(client);

/** @param reason for the client; without anything about its token */
export function closeSocket(client: SocketClient, reason: string): void {
  closed.add(client);
  if (client.disconnect !== undefined) client.disconnect(true);
  else client.close?.(POLICY_VIOLATION, reason);
}
