import type { Client } from '../core/clients/index.js';
import type { ClaimSet } from '../core/sign/index.js';
import { ClientRefusedException } from '../clients/index.js';
import { SignedAnswer, UnsignedAnswer } from '../signing/index.js';
import type { ClientRequest } from './request/client-request.js';
import type { TokenAnswer } from './token-answer.js';

/** What is signed for a client that asks for itself, whatever is signed for others. */
const FIELDS = ['access_token'] as const;

/**
 * The tokens that a login answers with, as those of a registered client: `client_id` in each, no scope that
 * the client is not registered for, and its audience where the login names none.
 */
export function issuedTo(
  { client, targets }: ClientRequest,
  answer: TokenAnswer | UnsignedAnswer | SignedAnswer,
): UnsignedAnswer | SignedAnswer {
  if (answer instanceof SignedAnswer) return answer;
  const { body, steps } =
    answer instanceof UnsignedAnswer ? answer : new UnsignedAnswer(answer, {});
  return new UnsignedAnswer(limitScope(body, client), {
    ...steps,
    complete: (claimSets) => {
      const completed = steps.complete?.(claimSets);
      return (field) => {
        const claims = completed?.(field) ?? claimSets.get(field) ?? {};
        const aud = isAccessField(field) ? audienceOf(client, targets) : undefined;
        return {
          ...limitScope(claims, client),
          ...(aud === undefined || Object.hasOwn(claims, 'aud') ? {} : { aud }),
          client_id: client.id,
        };
      };
    },
  });
}

const isAccessField = (name: string): boolean =>
  name === 'access_token' || name.endsWith('.access_token');

/** A claim set or an answer whose `scope` holds nothing that the client is not registered for. */
function limitScope(members: ClaimSet, { scopes }: Client): Record<string, unknown> {
  const { scope, ...others } = members;
  if (scopes === undefined || scope === undefined) return { ...members };
  const isRegistered = (name: unknown): boolean => scopes.includes(name as string);
  if (Array.isArray(scope)) return { ...members, scope: scope.filter(isRegistered) };
  // A claim of another type is no scope.
  return typeof scope === 'string'
    ? { ...members, scope: scope.split(' ').filter(isRegistered).join(' ') }
    : others;
}

/**
 * What is asked for, else all that the client is registered for; one name is a text.
 *
 * @returns `undefined` where there is neither
 */
function audienceOf(
  { audience }: Client,
  targets: readonly string[],
): string | readonly string[] | undefined {
  const names = targets.length > 0 ? [...new Set(targets)] : audience;
  return names.length > 1 ? names : names[0];
}

/**
 * The answer to a client that asks for a token for itself (RFC 6749 section 4.4): the claims of its
 * registration. There is no refresh token (section 4.4.3), and no session.
 *
 * @throws ClientRefusedException `scope_not_granted`, `target_unknown` for what it is not registered for
 */
export function tokenForItself({ client, scopes, targets }: ClientRequest): UnsignedAnswer {
  const { id, scopes: registered = [], audience, claims } = client;
  if (!scopes.every((name) => registered.includes(name)))
    throw new ClientRefusedException('scope_not_granted', `client '${id}' has no 'scope'`);
  if (!targets.every((name) => audience.includes(name)))
    throw new ClientRefusedException('target_unknown', `client '${id}' has no 'audience'`);
  const granted = scopes.length > 0 ? [...new Set(scopes)] : registered;
  const scope = granted.length > 0 ? { scope: granted.join(' ') } : {};
  const aud = audienceOf(client, targets);
  return new UnsignedAnswer(
    {
      access_token: {
        ...claims,
        sub: id,
        client_id: id,
        ...scope,
        ...(aud === undefined ? {} : { aud }),
      },
      ...scope,
    },
    {},
    FIELDS,
  );
}
