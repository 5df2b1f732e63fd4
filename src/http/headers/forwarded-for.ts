import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { requestBase } from '../../core/verify/index.js';

/** What Express makes of `trust proxy`; another platform has nothing of the kind, and trusts nobody. */
interface WithSettings {
  readonly app?: { get?(setting: string): unknown };
}

type Trust = (address: string | undefined, hop: number) => boolean;

/** Which addresses are proxies whose headers about a request count. */
function trustedBy(request: IncomingMessage): Trust {
  const trust = (request as WithSettings).app?.get?.('trust proxy fn');
  return typeof trust === 'function'
    ? (address, hop) => (trust as (...args: Parameters<Trust>) => unknown)(address, hop) === true
    : () => false;
}

/** Whether the peer of a request is a proxy whose headers about it count. */
export const trustsPeer = (request: IncomingMessage): boolean =>
  trustedBy(request)(request.socket.remoteAddress, 0);

/** Names of the headers by which a proxy tells whose request it passes on, folded. */
export const FORWARDED_HEADERS: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/**
 * These headers for a request: the client's address and those of trusted proxies, the peer last; host and scheme
 * that the client addressed. What the client wrote into such headers does not count, what a trusted proxy wrote
 * does.
 */
export function forwardedFor(request: IncomingMessage): Record<string, string> {
  // Something that stands for a request, e.g. in a test.
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
  // The client is gone.
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

/** Some proxies write `192.0.2.1:50000` and `[2001:db8::1]:50000`. */
const withoutPort = (address: string): string =>
  address.replace(/^\[([\da-f:.]+)\](?::\d+)?$/i, '$1').replace(/^([\d.]+):\d+$/, '$1');

/** An IPv4 address is written as one, also where the socket is one of IPv6. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=[\d.]+$)/i, '');
