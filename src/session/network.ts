import { isIPv4, isIPv6 } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The network of an address, by which a user can recognize a place: /24 of IPv4, /48 of IPv6.
 *
 * @returns e.g. `192.0.2.0/24`, `2001:db8:1::/48`; `undefined` for a text that is no address
 */
export function networkOf(address: string): string | undefined {
  const [, mapped] = MAPPED.exec(address) ?? [];
  const [plain = ''] = (mapped ?? address).split('%', 1);
  if (isIPv4(plain)) return `${plain.split('.').slice(0, 3).join('.')}.0/24`;
  if (!isIPv6(plain)) return undefined;
  const [head = '', tail = ''] = plain.split('::', 2);
  const [before, behind] = [groupsOf(head), groupsOf(tail)];
  // An IPv4 address at the end stands for two groups.
  const zeros = 8 - before.length - behind.length - (plain.includes('.') ? 1 : 0);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...behind];
  const network = groups
    .slice(0, 3)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
    .replace(/(?:^|:)0(?::0)*$/, '');
  return `${network}::/48`;
}

const groupsOf = (part: string): string[] => part.match(/[\da-f.]+/gi) ?? [];
