import { HttpException } from '@nestjs/common';
import { GatewayException, type GatewayError } from './gateway.exception.js';

/** Codes of errors that are no exceptions of this package, by status. */
const CODES: Readonly<Record<number, string>> = {
  400: 'body_malformed',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  415: 'media_type_unsupported',
  429: 'rate_limited',
};

const INTERNAL: GatewayError = {
  status: 500,
  error: 'server_error',
  code: 'internal',
  description: 'Something went wrong in the gateway.',
};

const UNAVAILABLE = { status: 503, error: 'temporarily_unavailable', code: 'unavailable' };

/** An error answer, before it is sent in one way or another. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, as JSON. */
  readonly body: string;
}

/**
 * Makes the answer for an error. All error answers of the gateway have this form.
 *
 * @param requestId id of the request, or a new one if there was no request
 * @param explain true: the body contains the exact reason. Default false
 */
export function errorAnswer(error: GatewayError, requestId: string, explain = false): ErrorAnswer {
  const { status, headers, body = errorBody(error, requestId, explain) } = error;
  return {
    status,
    headers: {
      ...headers,
      ...(status === 401 && !hasChallenge(headers) ? { 'WWW-Authenticate': CHALLENGE } : undefined),
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      // The rest of a body that is too large is not read.
      ...(status === 413 ? { Connection: 'close' } : undefined),
    },
    body,
  };
}

/**
 * Prepares the parts that are the same in all answers to one kind of error, whatever its explanation. Together with
 * refusals that are not thrown: -13 % CPU of a 401 (bench/README.md, 2026-11-28).
 *
 * @returns the error with its prepared answer
 */
export function prepareAnswer(error: GatewayError): GatewayError {
  const { headers, body } = errorAnswer(error, '');
  const own = new Set(['Content-Length', 'X-Request-Id']);
  const end = '"}';
  const prepared = {
    headers: Object.entries(headers).filter(([name]) => !own.has(name)),
    start: body.slice(0, -end.length),
    end,
    length: Buffer.byteLength(body),
  };
  return { ...error, prepared };
}

/** Challenge of a 401 that has none (RFC 9110 section 15.5.2). It does not make a browser ask for a password. */
const CHALLENGE = 'Bearer realm="signet"';
const hasChallenge = (headers: GatewayError['headers'] = {}): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === 'www-authenticate');

function errorBody(error: GatewayError, requestId: string, explain: boolean): string {
  return JSON.stringify({
    error: error.error,
    error_description: (explain ? error.explanation : undefined) ?? error.description,
    // The check that a token failed would help an attacker who tries out tokens.
    code: error.error === 'invalid_token' && !explain ? 'invalid_token' : error.code,
    request_id: requestId,
  });
}

/**
 * Converts any thrown value to an error answer. Only messages of exceptions that are meant as answers (Nest's
 * `HttpException`, 4xx of the body parser) reach the client.
 */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayException) return thrown.details;
  if (thrown instanceof HttpException) return fromHttpException(thrown);
  const { status, expose, message } = (thrown ?? {}) as Record<string, unknown>;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return clientError(status, expose === true ? String(message) : 'The request is not valid.');
  return INTERNAL;
}

function fromHttpException(exception: HttpException): GatewayError {
  const status = exception.getStatus();
  const answer = exception.getResponse();
  const message = typeof answer === 'string' ? answer : (answer as { message?: unknown }).message;
  const description = Array.isArray(message)
    ? message.join('; ')
    : typeof message === 'string'
      ? message
      : exception.message;
  const error: GatewayError = { ...ofStatus(status, description), ...codeOf(exception) };
  return isOwnBody(answer) ? { ...error, body: JSON.stringify(answer) } : error;
}

function ofStatus(status: number, description: string): GatewayError {
  if (status < 500) return clientError(status, description);
  return status === 503 ? { ...UNAVAILABLE, description } : { ...INTERNAL, status };
}

/** Members of the answer that Nest makes from a message. */
const MEMBERS_OF_NEST = new Set(['statusCode', 'message', 'error']);

/** True for an object that the application wrote itself. */
const isOwnBody = (answer: string | object): answer is object =>
  typeof answer === 'object' &&
  !('statusCode' in answer && Object.keys(answer).every((name) => MEMBERS_OF_NEST.has(name)));

const codeOf = ({ errorCode }: HttpException): { code?: string } =>
  errorCode === undefined ? {} : { code: errorCode };

const clientError = (status: number, description: string): GatewayError => ({
  status,
  error: status === 401 || status === 403 ? 'access_denied' : 'invalid_request',
  code: CODES[status] ?? 'request_invalid',
  description,
});
