import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

const HEXTETS = 8;

/**
 * The address by which requests of a client are counted: `request.ip` of Express (see `trust proxy`). For IPv6 it is
 * the /64 network, since providers give at least that to each customer.
 *
 * @example `192.0.2.1` for `::ffff:192.0.2.1`, `2001:db8:0:1::/64` for `2001:db8:0:1::7`
 */
export function clientNetwork({ ip, socket }: IncomingMessage & { ip?: string }): string {
  const address = (ip ?? socket.remoteAddress ?? '').replace(/%.*$/, '');
  if (!isIPv6(address)) return address;
  // One spelling for each address, without dots (RFC 5952).
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = [], right] = text
    .split('::')
    .map((side) =>
      side.split(':').flatMap((hextet) => (hextet === '' ? [] : parseInt(hextet, 16))),
    );
  const zeros = Array<number>(HEXTETS - left.length - (right?.length ?? 0)).fill(0);
  const hextets = right === undefined ? left : [...left, ...zeros, ...right];
  const network = hextets.slice(0, 4).map((hextet) => hextet.toString(16));
  if (hextets.slice(0, 5).some((hextet) => hextet !== 0)) return `${network.join(':')}::/64`;
  const [mapped, high = 0, low = 0] = hextets.slice(5);
  if (mapped === 0xffff) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return mapped === 0 && high === 0 && low === 1 ? '::1' : `${network.join(':')}::/64`;
}
