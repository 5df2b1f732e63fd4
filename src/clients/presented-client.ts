import type { IncomingMessage } from 'node:http';
import { rawRequest } from '../auth/index.js';
import type { ClientAuthMethod } from '../core/clients/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { parseCompact } from '../core/jws/index.js';
import { parseClaims } from '../core/verify/index.js';
import { ClientRefusedException } from './client-refused.exception.js';

/** Gives a parameter of a request by name; `undefined` where it is absent or not a string. */
export type RequestParameters = (name: string) => string | undefined;

/** The client id and the credentials of a request, not verified. */
export interface PresentedClient {
  readonly id: string | undefined;
  readonly method: ClientAuthMethod;
  /** The secret or the assertion; empty for `none`. */
  readonly proof: string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const BASIC = /^basic +([A-Za-z\d+/_-]+={0,2}) *$/i;
/** Longest assertion in characters. */
export const MAX_ASSERTION_LENGTH = 8192;

/** True where the request authenticates by HTTP Basic (RFC 7617), well-formed or not. */
export const usesBasic = ({ headers }: IncomingMessage): boolean =>
  /^basic(?: |$)/i.test(headers.authorization ?? '');

/** True where the request contains credentials of a client. A `client_id` alone is no credential. */
export const hasClientCredentials = (
  request: IncomingMessage,
  parameters: RequestParameters,
): boolean =>
  usesBasic(request) ||
  given(parameters('client_secret')) !== undefined ||
  given(parameters('client_assertion')) !== undefined;

/**
 * Reads the credentials of a client: HTTP Basic, `client_secret` and `client_id` of the body (RFC 6749 section 2.3.1),
 * `client_assertion` (RFC 7521 section 4.2), or `client_id` alone. A parameter without a value counts as absent.
 *
 * @throws ClientRefusedException `client_ambiguous` for two methods at once, or two different ids
 */
export function presentedClient(
  request: IncomingMessage,
  parameters: RequestParameters,
): PresentedClient {
  const secret = given(parameters('client_secret'));
  const assertion = given(parameters('client_assertion'));
  const named = given(parameters('client_id'));
  const basic = usesBasic(request);
  const ways = [basic, secret !== undefined, assertion !== undefined].filter(Boolean).length;
  // If there are several `Authorization` headers, Node takes the first one, and a proxy may have taken the last one.
  if (ways > 1 || (basic && (rawRequest(request).headersDistinct.authorization?.length ?? 0) > 1))
    throw new ClientRefusedException(
      'client_ambiguous',
      'there is more than one of: HTTP Basic, client_secret, client_assertion',
    );
  const presented: PresentedClient = basic
    ? { method: 'client_secret_basic', ...basicCredentials(request.headers.authorization ?? '') }
    : assertion !== undefined
      ? {
          method: 'private_key_jwt',
          id: assertionIssuer(assertion, given(parameters('client_assertion_type'))),
          proof: assertion,
        }
      : secret !== undefined
        ? { method: 'client_secret_post', id: named, proof: secret }
        : { method: 'none', id: named, proof: '' };
  if (named !== undefined && presented.id !== undefined && named !== presented.id)
    throw new ClientRefusedException(
      'client_ambiguous',
      'client_id names another client than the credentials',
    );
  return presented;
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** Decodes id and secret, which are form-encoded (RFC 6749 section 2.3.1). */
function basicCredentials(header: string): Pick<PresentedClient, 'id' | 'proof'> {
  const text = Buffer.from(BASIC.exec(header)?.[1] ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  const id = colon < 0 ? undefined : formDecoded(text.slice(0, colon));
  const proof = formDecoded(text.slice(colon + 1));
  return id === undefined || proof === undefined
    ? { id: undefined, proof: '' }
    : { id: given(id), proof };
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** The `iss` of an assertion, not verified. */
function assertionIssuer(assertion: string, type: string | undefined): string | undefined {
  if (type !== ASSERTION_TYPE) return undefined;
  try {
    const { iss } = parseClaims(parseCompact(assertion, MAX_ASSERTION_LENGTH).payload);
    return typeof iss === 'string' ? given(iss) : undefined;
  } catch (error) {
    if (error instanceof TokenRefusedError) return undefined;
    throw error;
  }
}

/** The header of HTTP Basic for an id and a secret (RFC 6749 section 2.3.1). */
export function basicHeader(id: string, secret: string): string {
  const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
}
