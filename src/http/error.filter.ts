import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Catch,
  Logger,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { GatewayError } from './gateway.exception.js';
import { requestContext } from './request-context.js';
import { allowedMethods, type RoutedApplication } from './allowed-methods.js';
import { endTogether } from './end-together.js';
import { toGatewayError } from './error-answer.js';

type RoutedRequest = IncomingMessage & {
  /** The Express application; another platform has none. */
  app?: RoutedApplication;
  route?: { methods: Readonly<Record<string, boolean>> };
};

/** Express sets the route of a HEAD request before it finds that the route has no GET. */
const isRouted = ({ route, method }: RoutedRequest): boolean =>
  route !== undefined &&
  (method !== 'HEAD' || route.methods.get === true || route.methods.head === true);

/** What an error answer tells. */
export interface ErrorFilterOptions {
  /** Put the exact reason into answers. Default false. */
  explain?: boolean;
}

/**
 * Makes every error answer: one shape, one place, and the reason for the log line. For an
 * application over `@nestjs/platform-express`.
 *
 * @example
 * ```ts
 * app.use(requestContextMiddleware); // gives each request its X-Request-Id
 * app.useGlobalFilters(new ErrorFilter({ explain: process.env.NODE_ENV !== 'production' }));
 * ```
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorFilter.name);

  constructor(private readonly options: ErrorFilterOptions = {}) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<RoutedRequest>();
    const response = http.getResponse<ServerResponse>();
    const error =
      thrown instanceof NotFoundException && !isRouted(request)
        ? this.unrouted(request)
        : toGatewayError(thrown);
    const context = requestContext(request);
    if (context !== undefined)
      context.refusal = { code: error.code, explanation: error.explanation };
    if (error.code === 'internal') this.logUnexpected(thrown, context?.id);
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    send(response, error, error.body ?? JSON.stringify(this.body(error, context?.id)));
  }

  private body(error: GatewayError, requestId: string | undefined): Record<string, unknown> {
    const { explain = false } = this.options;
    // Which check a token failed helps whoever tries tokens out.
    const code = error.error === 'invalid_token' && !explain ? 'invalid_token' : error.code;
    return {
      error: error.error,
      error_description: (explain ? error.explanation : undefined) ?? error.description,
      code,
      request_id: requestId,
    };
  }

  private unrouted(request: RoutedRequest): GatewayError {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const allow = request.app === undefined ? [] : allowedMethods(request.app, path);
    return allow.length === 0
      ? {
          status: 404,
          error: 'invalid_request',
          code: 'not_found',
          description: 'There is no such resource.',
        }
      : {
          status: 405,
          error: 'invalid_request',
          code: 'method_not_allowed',
          description: `Use ${allow.join(' or ')} here.`,
          headers: { Allow: allow.join(', ') },
        };
  }

  private logUnexpected(thrown: unknown, requestId: string | undefined): void {
    const { stack } =
      thrown instanceof Error ? thrown : new Error('a value that is no error was thrown');
    this.logger.error({ msg: 'unexpected error', request_id: requestId, stack });
  }
}

function send(response: ServerResponse, error: GatewayError, body: string): void {
  response.statusCode = error.status;
  for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Cache-Control', 'no-store');
  // The rest of a body that is too large is not read.
  if (error.status === 413) response.setHeader('Connection', 'close');
  endTogether(response, body);
}
