import type { IncomingMessage } from 'node:http';

const IPV4_WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d+$/;
const IN_BRACKETS = /^\[([\da-f:.]+)\](?::\d+)?$/i;

/**
 * Removes the ports from `X-Forwarded-For`, which some proxies (Azure) write. A port belongs to a connection, so that a
 * limit per address would count each connection by itself.
 */
export function withoutForwardedPorts({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const { 'x-forwarded-for': value } = headers;
  if (typeof value !== 'string' || !value.includes(':')) return;
  headers['x-forwarded-for'] = value
    .split(',')
    .map((entry) => {
      const address = entry.trim();
      return (IPV4_WITH_PORT.exec(address) ?? IN_BRACKETS.exec(address))?.[1] ?? address;
    })
    .join(', ');
}
