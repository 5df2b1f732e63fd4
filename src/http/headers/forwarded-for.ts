import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { requestBase } from '../../core/verify/index.js';

/**
 * The settings of Express, which compiles `trust proxy` to a function. Without it, on another platform, no proxy is
 * trusted.
 */
interface WithSettings {
  readonly app?: { get?(setting: string): unknown };
}

type Trust = (address: string | undefined, hop: number) => boolean;

/** Returns the function that tells which addresses are trusted proxies. */
function trustedBy(request: IncomingMessage): Trust {
  const trust = (request as WithSettings).app?.get?.('trust proxy fn');
  return typeof trust === 'function'
    ? (address, hop) => (trust as (...args: Parameters<Trust>) => unknown)(address, hop) === true
    : () => false;
}

/** True if the peer of a request is a trusted proxy, whose headers about the request are used. */
export const trustsPeer = (request: IncomingMessage): boolean =>
  trustedBy(request)(request.socket.remoteAddress, 0);

/** Names of the headers in which a proxy describes the original request, as `foldHeader` returns them. */
export const FORWARDED_HEADERS: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/**
 * Returns these headers for a request: the addresses of the client and of trusted proxies, the peer last, and the host
 * and the scheme that the client addressed. Values from the client are ignored, those from a trusted proxy are used.
 */
export function forwardedFor(request: IncomingMessage): Record<string, string> {
  // An object in place of a request, e.g. in a test.
  if ((request as Partial<IncomingMessage>).socket === undefined) return {};
  const trusts = trustedBy(request);
  const { remoteAddress } = request.socket;
  const headers: Record<string, string> = {};
  const addresses = addressesOf(request, trusts);
  if (addresses !== '') headers['x-forwarded-for'] = addresses;
  const base = requestBase(request, { trustsPeer: trusts(remoteAddress, 0) });
  if (base !== undefined) {
    const [scheme = '', host = ''] = base.split('://');
    headers['x-forwarded-host'] = host;
    headers['x-forwarded-proto'] = scheme.toLowerCase();
  }
  return headers;
}

function addressesOf({ socket, headers }: IncomingMessage, trusts: Trust): string {
  let last = socket.remoteAddress;
  // The client has disconnected.
  if (last === undefined) return '';
  const addresses = [plainAddress(last)];
  const claimed = String(headers['x-forwarded-for'] ?? '').split(',');
  for (let hop = 0; claimed.length > 0 && trusts(last, hop); hop++) {
    last = withoutPort((claimed.pop() ?? '').trim());
    if (isIP(last) === 0) break;
    addresses.unshift(plainAddress(last));
  }
  return addresses.join(', ');
}

/** Removes the port. Some proxies write `192.0.2.1:50000` and `[2001:db8::1]:50000`. */
const withoutPort = (address: string): string =>
  address.replace(/^\[([\da-f:.]+)\](?::\d+)?$/i, '$1').replace(/^([\d.]+):\d+$/, '$1');

/** Writes an IPv4 address as such, even if an IPv6 socket has mapped it. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=[\d.]+$)/i, '');
