import type { BackendRefusedException } from '../backend/index.js';
import { isJsonObject } from '../core/json/index.js';
import { GatewayException } from '../http/index.js';

/** Words joined by underscores, as all registered codes are (RFC 6749 section 11.4); Nest's are "Unauthorized". */
const OAUTH_ERROR = /^[a-z\d]+(?:_[a-z\d]+)+$/;
const MAX_DESCRIPTION = 200;
const TOO_MANY_REQUESTS = 429;

/** A login's refusal in the words of OAuth 2.0 (RFC 6749 section 5.2). */
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
      // It would take the place of what the login says.
      explanation: description === undefined ? details.explanation : undefined,
      // What the login says of credentials is about those of the client.
      headers: error === 'invalid_client' ? details.headers : undefined,
    });
  }
}

/** Whether a backend refused a call (4xx), and did not fail. Nothing of `backend/` is loaded for it. */
export const isBackendRefusal = (error: unknown): error is BackendRefusedException =>
  error instanceof GatewayException && error.details.code === 'backend_refused';

/** 400 `invalid_grant`: the application itself decides logins, and refused this one. */
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
 * What a client gets for the login's refusal: the refusal itself, or with `errors: 'oauth'`, where it is no
 * OAuth error, a {@link LoginRefusedException}. A login that is asked too often says so as it likes. Every
 * 401 gets a challenge (RFC 9110 section 15.5.2): that of HTTP Basic where the client sent its credentials
 * (RFC 6749 section 5.2), and none that makes a browser ask for a password elsewhere.
 *
 * @param byClient the login got the credentials of a client, so that a 401 may be about those
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

/** The same; a 401 without a challenge gets that of HTTP Basic, since the client sent its credentials. */
export function withBasicChallenge(refusal: GatewayException): GatewayException {
  const { details } = refusal;
  const headers = Object.entries(details.headers ?? {});
  if (details.status === 401 && !headers.some(([name]) => /^www-authenticate$/i.test(name)))
    details.headers = { ...details.headers, 'WWW-Authenticate': 'Basic realm="signet"' };
  return refusal;
}

/** The members of a refusal; none of one that is no JSON object. */
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
