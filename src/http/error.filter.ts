import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Catch,
  Inject,
  Logger,
  NotFoundException,
  Optional,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { requestPath } from '../core/verify/index.js';
import { allowedMethods, type RoutedApplication } from './allowed-methods.js';
import { endInBatch } from './batched-end.js';
import { errorAnswer, toGatewayError } from './error-answer.js';
import type { GatewayError, PreparedAnswer } from './gateway.exception.js';
import { lingerOnClose } from './linger.js';
import { answerMessage } from './message-error.js';
import { requestContext } from './request-context.js';

type RoutedRequest = IncomingMessage & {
  /** The Express application; another platform has none. */
  app?: RoutedApplication;
  originalUrl?: string;
  route?: { methods: Readonly<Record<string, boolean>> };
};

/** The members of a Fastify reply that are used here. */
interface FastifyReply {
  readonly sent: boolean;
  readonly raw: ServerResponse;
  code(status: number): this;
  headers(headers: Readonly<Record<string, string>>): this;
  send(body: string): unknown;
}
const isFastify = (response: ServerResponse | FastifyReply): response is FastifyReply =>
  'raw' in response;

/**
 * True where a route matched. Express sets the route of a HEAD request even if the route has no GET. With a global
 * prefix Nest adds a route for all methods that answers 404.
 */
const isRouted = ({ route, method }: RoutedRequest): boolean =>
  route !== undefined &&
  route.methods._all !== true &&
  (method !== 'HEAD' || route.methods.get === true || route.methods.head === true);

/** Options of {@link ErrorFilter}. */
export interface ErrorFilterOptions {
  /** True: answers contain the exact reason. Default false. */
  explain?: boolean;
  /** Rewrites the exact reason, for the answer and for the log. Default: it is not changed. */
  reword?: (explanation: string) => string;
}

/** Injection token of the options of an {@link ErrorFilter} that is `APP_FILTER`. */
export const ERROR_FILTER_OPTIONS = Symbol('signet.error-filter-options');

/**
 * Answers all errors in one form, `{ error, error_description, code, request_id }`, and keeps the reason for the log.
 * It works on Express and Fastify. Clients of WebSockets and microservices get errors as from Nest's own filters;
 * errors of GraphQL are thrown on.
 *
 * @example
 * ```ts
 * app.use(requestContextMiddleware); // gives each answer its X-Request-Id
 * app.useGlobalFilters(new ErrorFilter({ explain: process.env.NODE_ENV !== 'production' }));
 * // or among the providers of a module: { provide: APP_FILTER, useClass: ErrorFilter }
 * ```
 * An `HttpException` with an object of the application's own is answered with that object.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorFilter.name);

  private readonly options: ErrorFilterOptions;

  constructor(@Optional() @Inject(ERROR_FILTER_OPTIONS) options?: ErrorFilterOptions) {
    this.options = options ?? {};
  }

  catch(thrown: unknown, host: ArgumentsHost): unknown {
    // GraphQL answers exceptions by itself; messages have no HTTP answer.
    const type = host.getType<string>();
    if (type === 'ws' || type === 'rpc') return answerMessage(thrown, host);
    if (type !== 'http') throw thrown;
    const http = host.switchToHttp();
    return this.answer(thrown, http.getRequest(), http.getResponse());
  }

  /**
   * Answers an HTTP request with the error for a thrown value.
   *
   * @internal
   */
  answer(
    thrown: unknown,
    request: RoutedRequest,
    response: ServerResponse | FastifyReply,
  ): undefined {
    const error =
      thrown instanceof NotFoundException && !isRouted(request)
        ? unrouted(request)
        : toGatewayError(thrown);
    if (error.code === 'internal') this.logUnexpected(thrown, requestContext(request).id);
    return this.refuse(error, request, response);
  }

  /**
   * Answers an HTTP request with an error.
   *
   * @internal
   */
  refuse(
    known: GatewayError,
    request: IncomingMessage,
    response: ServerResponse | FastifyReply,
  ): undefined {
    const { explain } = this.options;
    const error = this.reworded(known);
    const context = requestContext(request);
    context.refusal = error;
    if (
      error.prepared !== undefined &&
      explain !== true &&
      !isFastify(response) &&
      !response.headersSent
    ) {
      sendPrepared(response, error.status, error.prepared, context.id);
      return undefined;
    }
    const { status, headers, body } = errorAnswer(error, context.id, explain);
    if (isFastify(response)) {
      if (response.sent) response.raw.destroy();
      else void response.code(status).headers(headers).send(body);
      return undefined;
    }
    if (response.headersSent) {
      // The client must not take a partial answer for a complete one.
      response.destroy();
      return undefined;
    }
    if (status === 413) lingerOnClose(request);
    response.statusCode = status;
    for (const name in headers) response.setHeader(name, headers[name] as string);
    endInBatch(response, body);
    return undefined;
  }

  private reworded(error: GatewayError): GatewayError {
    const { explanation } = error;
    const reworded = explanation && this.options.reword?.(explanation);
    return reworded === undefined || reworded === explanation
      ? error
      : { ...error, explanation: reworded };
  }

  private logUnexpected(thrown: unknown, requestId: string): void {
    const { stack } =
      thrown instanceof Error ? thrown : new Error('a value that is no error was thrown');
    this.logger.error({ msg: 'unexpected error', request_id: requestId, stack });
  }
}

function sendPrepared(
  response: ServerResponse,
  status: number,
  { headers, start, end, length }: PreparedAnswer,
  id: string,
): void {
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  // The id is ASCII, and nothing in it has to be escaped.
  response.setHeader('Content-Length', String(length + id.length));
  // Usually middleware has already set the header.
  if (response.getHeader('X-Request-Id') !== id) response.setHeader('X-Request-Id', id);
  endInBatch(response, start + id + end);
}

function unrouted(request: RoutedRequest): GatewayError {
  const { app } = request;
  // With a global prefix, Express removes the prefix from `url` and `path`.
  const path = requestPath(request) ?? '/';
  const allow = app === undefined ? [] : allowedMethods(app, path);
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
