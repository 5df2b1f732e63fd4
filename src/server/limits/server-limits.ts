import { readFileSync } from 'node:fs';
import type { Server, ServerOptions, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../../core/time/index.js';

/** Largest size of all headers without the token, in bytes. */
const OTHER_HEADERS = 16 * 1024;

/**
 * Options of the server. Times are in milliseconds. The timeouts close the connections of slow clients, so that the
 * gateway does not run out of sockets.
 *
 * @param maxTokenLength characters of the longest token that a header may carry
 */
export const serverOptions = (maxTokenLength: number): ServerOptions => ({
  headersTimeout: 10_000,
  requestTimeout: 13_000,
  connectionsCheckingInterval: 1000,
  // Longer than the 60 s after which usual load balancers drop idle connections: they close first.
  keepAliveTimeout: 65_000,
  maxHeaderSize: maxTokenLength + OTHER_HEADERS,
  // `requestProblem` checks the Host header instead: the answer of Node has no body.
  requireHostHeader: false,
  // No stream is set up for a body that is not there: -9 % CPU of a 401, -5 % of a GET (bench/README.md).
  optimizeEmptyRequests: true,
});

/** Most header fields of a request, as in other servers. A request with more gets 431. */
const MAX_HEADER_FIELDS = 100;
/** Most connections of one process. Each takes about 20 kB. */
const MAX_CONNECTIONS = 10_000;
/** Longest time for a client to read an answer after it is complete, in milliseconds. */
const WRITE_TIMEOUT_MS = 13_000;
const LOG_INTERVAL_MS = 10_000;

/** Sets the limits that cannot be set when a server is created, and logs when they are reached. */
export function limitServer(server: Server): void {
  server.maxHeadersCount = MAX_HEADER_FIELDS;
  // The other half is for connections to backends, for files and for the log.
  server.maxConnections = Math.min(MAX_CONNECTIONS, Math.floor(maxOpenFiles() / 2));
  // Otherwise a full worker hands the connection back, and gets it again.
  Object.assign(server, { dropMaxConnection: true });
  const logger = new Logger('Server');
  const lines = new AtMostEvery(LOG_INTERVAL_MS);
  const warn = (what: string): void => {
    if (lines.due()) logger.warn(what);
  };
  server.on('drop', () => warn(`Connections are refused: there are ${server.maxConnections}`));
  server.on('listening', () =>
    // E.g. EMFILE. Without a listener it would end the process, although waiting resolves it.
    server.on('error', (error: NodeJS.ErrnoException) =>
      warn(`A connection could not be accepted (${error.code})`),
    ),
  );
}

/** Returns how many files this process may open. Node has raised this limit to its maximum (setrlimit(2)). */
function maxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

/** Closes the connection of a client that does not read its answer in time. */
export function limitWriting(response: ServerResponse): void {
  response.on('prefinish', watchWriting);
}

function watchWriting(this: ServerResponse): void {
  const { socket } = this;
  // Usually the operating system has already taken the whole answer.
  if (socket === null || socket.writableLength === 0) return;
  const timer = setTimeout(() => socket.destroy(), WRITE_TIMEOUT_MS).unref();
  this.once('close', () => clearTimeout(timer));
}
