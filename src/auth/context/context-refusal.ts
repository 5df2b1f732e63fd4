import type { ExecutionContext } from '@nestjs/common';
import type { GatewayException } from '../../http/index.js';

/** What a refusal says, to clients of any protocol. */
interface Refusal {
  readonly message: string;
  readonly code: string;
  readonly error?: string;
}

/** The codes that clients of GraphQL look for. */
const GRAPHQL_CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  503: 'SERVICE_UNAVAILABLE',
};

/**
 * A refusal in the form of the context's protocol: `GraphQLError` with a code, `WsException`, `RpcException`.
 * The package that it comes from is loaded with the first one.
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
