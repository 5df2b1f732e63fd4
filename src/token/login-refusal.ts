import type { BackendRefusedException } from '../backend/index.js';
import { isJsonObject } from '../core/json/index.js';
import { GatewayException } from '../http/index.js';

/**
 * Form of the registered error codes: words joined by underscores (RFC 6749 section 11.4). "Unauthorized" of Nest is
 * none.
 */
const OAUTH_ERROR = /^[a-z\d]+(?:_[a-z\d]+)+$/;
const MAX_DESCRIPTION = 200;
const TOO_MANY_REQUESTS = 429;

/** A refusal of the login service as an OAuth error (RFC 6749 section 5.2). */
export class LoginRefusedException extends GatewayException {
  constructor(
    error: 'invalid_grant' | 'invalid_client',
    { details }: BackendRefusedException,
    description: string | undefined,
  ) {
    super({
      status: error === 'invalid_client' ? 401 : 400,
      error,
      code: 'backend_refused',
      description: description ?? 'The login refused the request.',
      // With the option `explain` of `ErrorFilter` it would replace the description of the login service.
      explanation: description === undefined ? details.explanation : undefined,
      // A challenge of the login service is passed on only if it is about the credentials of the client.
      headers: error === 'invalid_client' ? details.headers : undefined,
    });
  }
}

/** True if a backend refused a call (4xx), rather than failed. Loads nothing of `backend/`. */
export const isBackendRefusal = (error: unknown): error is BackendRefusedException =>
  error instanceof GatewayException && error.details.code === 'backend_refused';

/** 400 `invalid_grant`: a handler of the application decides logins, and refused this one. */
export class CredentialsRefusedException extends GatewayException {
  constructor() {
    super({
      status: 400,
      error: 'invalid_grant',
      code: 'login_refused',
      description: 'The login refused the request.',
    });
  }
}

/**
 * The error that a client gets for a refusal of the login service: the refusal itself or, with `errors: 'oauth'` and if
 * it is not an OAuth error yet, a {@link LoginRefusedException}. A 429 is always passed on. Every 401 has a challenge
 * (RFC 9110 section 15.5.2): that of HTTP Basic if the client sent its credentials (RFC 6749 section 5.2), otherwise
 * one that does not make a browser ask for a password.
 *
 * @param byClient true if the login service got the credentials of a client, so that a 401 may be about those
 */
export function loginRefusal(
  refused: BackendRefusedException,
  errors: 'pass' | 'oauth',
  byClient: boolean,
): GatewayException {
  const { status, body } = refused.details;
  const answer = errors === 'oauth' && status !== TOO_MANY_REQUESTS ? parse(body) : undefined;
  const refusal =
    answer === undefined || OAUTH_ERROR.test(textOf(answer.error))
      ? refused
      : new LoginRefusedException(
          status === 401 && byClient ? 'invalid_client' : 'invalid_grant',
          refused,
          descriptionOf(answer.message),
        );
  return byClient ? withBasicChallenge(refusal) : refusal;
}

/** Adds the challenge of HTTP Basic to a 401 that has none, since the client sent its credentials. */
export function withBasicChallenge(refusal: GatewayException): GatewayException {
  const { details } = refusal;
  const headers = Object.entries(details.headers ?? {});
  if (details.status === 401 && !headers.some(([name]) => /^www-authenticate$/i.test(name)))
    details.headers = { ...details.headers, 'WWW-Authenticate': 'Basic realm="signet"' };
  return refusal;
}

/** The members of a refusal; an empty object if its body is not a JSON object. */
function parse(body: string | undefined): Readonly<Record<string, unknown>> {
  const value: unknown = body === undefined ? undefined : JSON.parse(body);
  return isJsonObject(value) ? value : {};
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `message` of a Nest exception, in the characters of an `error_description` (RFC 6749 section 5.2). */
function descriptionOf(message: unknown): string | undefined {
  const text = (Array.isArray(message) ? message : [message]).map(textOf).join('; ');
  const printable = text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?');
  return printable === '' ? undefined : printable.slice(0, MAX_DESCRIPTION);
}
