import type { Client } from '../core/clients/index.js';
import type { ClaimSet } from '../core/sign/index.js';
import { ClientRefusedException } from '../clients/index.js';
import { SignedAnswer, UnsignedAnswer } from '../signing/index.js';
import type { ClientRequest } from './request/client-request.js';
import type { TokenAnswer } from './token-answer.js';

/** The only field that is signed for a client that requests a token for itself, whatever the route signs otherwise. */
const FIELDS = ['access_token'] as const;

/**
 * Adapts the answer of a login to a registered client: each token gets `client_id`, and no scope that the client is not
 * registered for. Access tokens get the requested or registered audience where the login names none.
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

/** Removes the scopes that the client is not registered for from a claim set or an answer. */
function limitScope(members: ClaimSet, { scopes }: Client): Record<string, unknown> {
  const { scope, ...others } = members;
  if (scopes === undefined || scope === undefined) return { ...members };
  const isRegistered = (name: unknown): boolean => scopes.includes(name as string);
  if (Array.isArray(scope)) return { ...members, scope: scope.filter(isRegistered) };
  // A `scope` of another type is removed.
  return typeof scope === 'string'
    ? { ...members, scope: scope.split(' ').filter(isRegistered).join(' ') }
    : others;
}

/**
 * The requested audience, otherwise the registered one. A single name is a string, several are a list.
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
 * The answer to a client that requests a token for itself (RFC 6749 section 4.4): an access token with the claims of
 * its registration. There is no refresh token (section 4.4.3), and no session.
 *
 * @throws ClientRefusedException `scope_not_granted`, `target_unknown` for a scope or target that it is not registered
 * for
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
