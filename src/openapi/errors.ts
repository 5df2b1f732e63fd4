import type { ErrorCodes, OperationObject } from './document-types.js';

/** Schema of all error answers. */
export const ERROR_SCHEMA = {
  type: 'object',
  required: ['error_description', 'code', 'request_id'],
  properties: {
    error: {
      type: 'string',
      description: 'RFC 6749 section 5.2, RFC 6750 section 3.1; absent when the token is missing',
    },
    error_description: { type: 'string' },
    code: { type: 'string', description: 'stable and more exact' },
    request_id: { type: 'string', description: 'also in X-Request-Id and in the log' },
  },
};

/** Errors of a request body that cannot be read. */
export const BODY_ERRORS: ErrorCodes = {
  400: ['body_malformed'],
  413: ['body_too_large'],
  415: ['media_type_unsupported'],
};

/** Error of too many requests from one address. */
export const THROTTLE_ERRORS: ErrorCodes = { 429: ['rate_limited'] };

/** Codes of DPoP proofs at protected routes (RFC 9449 section 7.1). */
export const PROOF_CODES = [
  'dpop_proof_missing',
  'dpop_proof_invalid',
  'dpop_proof_mismatch',
  'dpop_proof_expired',
  'dpop_proof_reused',
  'dpop_nonce_needed',
] as const;

/** Error of a gateway that is overloaded. */
export const OVERLOAD_ERRORS: ErrorCodes = { 503: ['overloaded'] };

/** Errors of a backend that refuses, fails, or is too slow. */
export const BACKEND_ERRORS: ErrorCodes = {
  '4XX': ['backend_refused'],
  502: ['backend_unavailable', 'backend_bad_response'],
  504: ['backend_timeout'],
};

const BACKEND_REFUSAL = "The backend's own refusal: its status and JSON body, unchanged.";

/** Adds an answer per status, with its codes. A status that is documented already is not changed. */
export function addErrors(operation: OperationObject, sources: readonly ErrorCodes[]): void {
  const codes = new Map<string, Set<string>>();
  for (const source of sources)
    for (const [status, list] of Object.entries(source))
      codes.set(status, (codes.get(status) ?? new Set()).union(new Set(list)));
  for (const [status, list] of [...codes].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    operation.responses[status] ??=
      status === '4XX'
        ? { description: BACKEND_REFUSAL, content: { 'application/json': { schema: {} } } }
        : {
            description: [...list].map((code) => `\`${code}\``).join(', '),
            content: {
              'application/json': {
                schema: { $ref: '#/components/schemas/Error' },
                examples: Object.fromEntries(
                  [...list].map((code) => [code, { value: example(Number(status), code) }]),
                ),
              },
            },
          };
}

/** The member `error` by status. {@link OAUTH_ERRORS} comes first. */
const ERRORS_BY_STATUS: Readonly<Record<number, string>> = {
  401: 'invalid_token',
  403: 'insufficient_scope',
  502: 'server_error',
  503: 'temporarily_unavailable',
  504: 'server_error',
};

/** The member `error` by code (RFC 6749 section 5.2, RFC 8707 section 2, RFC 9449, RFC 9470). */
const OAUTH_ERRORS: Readonly<Record<string, string | undefined>> = {
  // A request without a token gets no error (RFC 6750 section 3.1).
  token_missing: undefined,
  client_unknown: 'invalid_client',
  client_mismatch: 'invalid_grant',
  csrf_refused: 'access_denied',
  dpop_nonce_needed: 'use_dpop_nonce',
  grant_not_allowed: 'unauthorized_client',
  grant_unsupported: 'unsupported_grant_type',
  insufficient_user_authentication: 'insufficient_user_authentication',
  login_refused: 'invalid_grant',
  refresh_token_invalid: 'invalid_grant',
  refresh_token_reused: 'invalid_grant',
  scope_not_granted: 'invalid_scope',
  target_unknown: 'invalid_target',
};

/** An error answer in the form of `ErrorFilter`. */
export function example(status: number, code: string): Record<string, string> {
  const error = Object.hasOwn(OAUTH_ERRORS, code)
    ? OAUTH_ERRORS[code]
    : /^dpop_(?:proof_|key_)/.test(code)
      ? 'invalid_dpop_proof'
      : (ERRORS_BY_STATUS[status] ?? 'invalid_request');
  return {
    ...(error === undefined ? {} : { error }),
    error_description: `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}.`,
    code,
    request_id: '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed',
  };
}
