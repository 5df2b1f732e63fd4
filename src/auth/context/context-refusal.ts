import type { ExecutionContext } from '@nestjs/common';
import type { GatewayException } from '../../http/index.js';

/** The members of a refusal that clients of every protocol get. */
interface Refusal {
  readonly message: string;
  readonly code: string;
  readonly error?: string;
}

/** Error codes that GraphQL clients expect, by HTTP status. */
const GRAPHQL_CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  503: 'SERVICE_UNAVAILABLE',
};

/**
 * Converts a refusal to an error of the context's protocol: `GraphQLError` with a code, `WsException`, `RpcException`.
 * The package of the error is loaded with the first refusal. For HTTP the refusal itself is returned.
 */
export async function contextRefusal(
  context: ExecutionContext,
  refusal: GatewayException,
): Promise<Error> {
  const { status, error, code, description: message } = refusal.details;
  const told: Refusal = { message, code, ...(error === undefined ? {} : { error }) };
  switch (context.getType<string>()) {
    case 'graphql': {
      const { GraphQLError } = await import('graphql');
      const extensions = {
        code: GRAPHQL_CODES[status] ?? 'INTERNAL_SERVER_ERROR',
        error,
        reason: code,
      };
      return new GraphQLError(message, { originalError: refusal, extensions });
    }
    case 'ws': {
      const { WsException } = await import('@nestjs/websockets');
      return new WsException({ status: 'error', ...told });
    }
    case 'rpc': {
      const { RpcException } = await import('@nestjs/microservices');
      return new RpcException({ status: 'error', ...told });
    }
    default:
      return refusal;
  }
}
