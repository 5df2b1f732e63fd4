import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BootError } from '../core/errors/index.js';
import { answerManagement, type ManagementSource } from './management-routes.js';

/** Default port of the management listener. */
export const DEFAULT_MANAGEMENT_PORT = 8090;

/** Most connections at the same time. A few collectors of metrics and a browser need fewer. */
const MAX_CONNECTIONS = 200;
/** Longest time from the first to the last byte of a request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Options of the management listener. */
export interface ManagementOptions {
  /** Address to listen on. */
  host: string;
  /** `undefined`: no listener. 0: a free port, which is logged. */
  port: number | undefined;
  /** True: if the port cannot be used, a warning is logged and the boot goes on. Default false. */
  optional?: boolean;
}

/**
 * Serves `GET /metrics`, the status page at `/` and, where `source` has it, the explain page. They have a listener of
 * their own, so that clients of the gateway cannot reach them.
 *
 * @returns `undefined` where no port is configured, or an optional port cannot be used
 * @throws BootError when the port cannot be used
 */
export async function startManagementServer(
  { host, port, optional }: ManagementOptions,
  logger: { log(message: string): void; warn(message: string): void },
  source: ManagementSource,
): Promise<Server | undefined> {
  if (port === undefined) return undefined;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answerManagement(request, response, source).catch(() => response.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === 'EADDRINUSE'
        ? `MANAGEMENT_PORT ${port} cannot be listened on (${code})`
        : `cannot listen on MANAGEMENT_HOST ${host} and MANAGEMENT_PORT ${port} (${code})`;
    if (optional !== true) throw new BootError(problem);
    logger.warn(`${problem}; there is no /metrics`);
    return undefined;
  }
  const address = server.address() as AddressInfo;
  const url = listenerUrl(host, address.port);
  logger.log(`Metrics on ${url}/metrics (status on ${url}/)`);
  return server;
}

/** The URL of a listener; an IPv6 address stands in brackets (RFC 3986 section 3.2.2). */
export const listenerUrl = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
