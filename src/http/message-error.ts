import { Logger, type ArgumentsHost } from '@nestjs/common';
import { throwError } from 'rxjs';
import { GatewayException } from './gateway.exception.js';

/** A client of socket.io or `ws`. */
interface SocketClient {
  readonly readyState?: number;
  emit?(event: string, data: unknown): unknown;
  send?(text: string): unknown;
}

const logger = new Logger('ErrorFilter');

/** Sends an error to the sender of a message, as the filters of Nest do for WebSockets and microservices. */
export function answerMessage(thrown: unknown, host: ArgumentsHost): unknown {
  const told = messageError(thrown);
  if (told === undefined) logger.error(thrown);
  const data = told ?? { status: 'error', message: 'Internal server error' };
  if (host.getType() === 'rpc') return throwError(() => data);
  tellSocket(host.switchToWs().getClient<object>(), data);
  return undefined;
}

/** Sends an exception to the client of a WebSocket. */
function tellSocket(client: object, data: unknown): void {
  const { readyState } = client as SocketClient;
  // Clients of `ws` have an `emit`, too, but it sends nothing.
  if (readyState === undefined) (client as SocketClient).emit?.('exception', data);
  else (client as SocketClient).send?.(JSON.stringify({ event: 'exception', data }));
}

/**
 * Returns what the sender is told, which `WsException` and `RpcException` contain; `undefined` for an unexpected error.
 */
function messageError(thrown: unknown): object | undefined {
  if (thrown instanceof GatewayException) {
    const { error, code, description: message } = thrown.details;
    return { status: 'error', message, code, ...(error === undefined ? {} : { error }) };
  }
  const own = (thrown ?? {}) as { getError?(): unknown };
  if (typeof own.getError !== 'function') return undefined;
  const told = own.getError();
  return typeof told === 'object' && told !== null ? told : { status: 'error', message: told };
}
