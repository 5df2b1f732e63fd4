import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { clientNetwork } from './client-network.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['::1', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['::2', '0:0:0:0::/64'],
  ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
  ['2001:DB8:0:1:ffff:2:3:4', '2001:db8:0:1::/64'],
  ['2001:db8::', '2001:db8:0:0::/64'],
  ['2001:db8::1:2:3:4', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('%s counts as %s', (ip, network) => {
  expect(clientNetwork({ ip } as unknown as IncomingMessage)).toBe(network);
});

it('without an address of Express that of the connection counts', () => {
  const request = { socket: { remoteAddress: '::ffff:192.0.2.7' } } as unknown as IncomingMessage;
  expect(clientNetwork(request)).toBe('192.0.2.7');
  expect(clientNetwork({ socket: {} } as unknown as IncomingMessage)).toBe('');
});
