import { scopesOf } from '../../core/claims/index.js';
import { isJsonObject, parseJsonExactly } from '../../core/json/index.js';
import { TokenRequestException } from '../request/token-request.exception.js';
import type { TokenParameters } from '../request/token-request.js';

/**
 * Parameters that are left out of {@link RefreshRequest}: those that the gateway reads, and secrets. Without registered
 * clients the client's secret becomes HTTP Basic.
 */
const KEPT_BACK: ReadonlySet<string> = new Set([
  'grant_type',
  'refresh_token',
  'client_secret',
  'password',
]);
/** Left out for registered clients. Without registered clients, the backend checks the assertion. */
const ASSERTION: ReadonlySet<string> = new Set(['client_assertion', 'client_assertion_type']);
/** Parameters that decide what is granted. If one of them is malformed, the request is refused. */
const DECISIVE = ['scope', 'resource', 'audience', 'client_id'] as const;

/** The parameters of a refresh that its backend gets as `request`. */
export type RefreshRequest = Readonly<Record<string, string | readonly string[]>>;

/**
 * The other parameters of a refresh, without the token and secrets. An empty value counts as absent (RFC 6749 section
 * 3.2); a value that is neither a string nor a list of strings is left out.
 *
 * @param authenticated true for a registered client: its credentials were checked, and are not forwarded
 * @throws TokenRequestException `body_malformed` for a `scope`, `resource`, `audience` or `client_id` of another type;
 * `target_unknown` for a `resource` that is not an absolute URI or has a fragment (RFC 8707 section 2)
 */
export function refreshRequest(
  { members }: TokenParameters,
  authenticated: boolean,
): RefreshRequest {
  const given = Object.entries(members)
    .filter(([name]) => !KEPT_BACK.has(name) && !(authenticated && ASSERTION.has(name)))
    .map(([name, value]) => [name, textOf(value)] as const);
  const request = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  for (const name of DECISIVE) {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    const isAbsent = value === undefined || value === null || value === '' || isEmptyList(value);
    const isOne = name === 'scope' || name === 'client_id';
    if (!isAbsent && (request[name] === undefined || (isOne && typeof value !== 'string')))
      throw new TokenRequestException('body_malformed', `The parameter ${name} is not a string.`);
  }
  for (const resource of [request.resource ?? []].flat())
    if (!URL.canParse(resource) || resource.includes('#'))
      throw new TokenRequestException(
        'target_unknown',
        'The parameter resource is not an absolute URI without a fragment.',
      );
  return request as RefreshRequest;
}

const isEmptyList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => one === '');

/** One text, or a list of several. */
function textOf(value: unknown): string | string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one) => one !== '');
  if (texts.length === 0 || !texts.every((one) => typeof one === 'string')) return undefined;
  return texts.length === 1 ? texts[0] : texts;
}

/**
 * Checks that a refresh requests no more than was granted (RFC 6749 section 6).
 *
 * @param asked parameter `scope`
 * @param granted claim `scope` of the refresh token
 * @throws TokenRequestException `scope_not_granted`
 */
export function assertGranted(asked: string | undefined, granted: unknown): void {
  const held = new Set(scopesOf(granted));
  if (asked !== undefined && !asked.split(' ').every((scope) => held.has(scope)))
    throw new TokenRequestException(
      'scope_not_granted',
      'The scope is more than what was granted with the refresh token.',
    );
}

/**
 * Adds `scope` to a signed answer whose access token has another one than was asked for (RFC 6749
 * section 5.1).
 *
 * @param asked parameter `scope` or, without it, what was granted
 */
export function withScope(
  answer: Record<string, unknown>,
  asked: unknown,
): Record<string, unknown> {
  if (Object.hasOwn(answer, 'scope')) return answer;
  const scope = scopesOf(claimsOf(answer.access_token).scope);
  return scope.length === 0 || isSame(scope, scopesOf(asked))
    ? answer
    : { ...answer, scope: scope.join(' ') };
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  new Set(some).symmetricDifference(new Set(others)).size === 0;

/** The claims of a token that was signed here; an empty object for anything else. */
function claimsOf(token: unknown): Record<string, unknown> {
  const payload = typeof token === 'string' ? token.split('.')[1] : undefined;
  if (payload === undefined) return {};
  const claims = parseJsonExactly(Buffer.from(payload, 'base64url').toString());
  return isJsonObject(claims) ? claims : {};
}
