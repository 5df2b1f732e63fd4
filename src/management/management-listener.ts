import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BootError } from '../core/errors/index.js';

/** Where the management listener listens when nobody says otherwise. */
export const DEFAULT_MANAGEMENT_PORT = 8090;

/** Where `/metrics` is served. */
export interface ManagementOptions {
  /** Address to listen on. */
  host: string;
  /** `undefined`: no listener; 0: a free port, which the log names. */
  port: number | undefined;
  /** A port in use leads to a warning instead of a failed boot. Default false. */
  optional?: boolean;
}

/** All metrics in the Prometheus text format, and its content type. */
export interface MetricsText {
  contentType: string;
  body: string;
}

/**
 * Serves `GET /metrics` on a listener of its own, which clients of the gateway do not reach.
 *
 * @returns `undefined` when no port was asked for, or an optional one is in use
 * @throws BootError when the port cannot be had
 */
export async function startManagementServer(
  { host, port, optional }: ManagementOptions,
  logger: { log(message: string): void; warn(message: string): void },
  metrics: () => Promise<MetricsText>,
): Promise<Server | undefined> {
  if (port === undefined) return undefined;
  const server = createServer((request, response) => {
    answer(request, response, metrics).catch(() => response.destroy());
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = `MANAGEMENT_PORT ${port} cannot be listened on (${code})`;
    if (optional !== true) throw new BootError(problem);
    logger.warn(`${problem}; there is no /metrics`);
    return undefined;
  }
  const address = server.address() as AddressInfo;
  logger.log(`Metrics on ${listenerUrl(host, address.port)}/metrics`);
  return server;
}

/** The URL of a listener; an IPv6 address stands in brackets (RFC 3986 section 3.2.2). */
export const listenerUrl = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  metrics: () => Promise<MetricsText>,
): Promise<void> {
  // A query, or a whole URL, is a way to say the same (RFC 9112 section 3.2.2).
  if (method !== 'GET' || URL.parse(url ?? '/', 'http://management')?.pathname !== '/metrics') {
    response.writeHead(404).end();
    return;
  }
  const { contentType, body } = await metrics();
  response.writeHead(200, { 'Content-Type': contentType }).end(body);
}
