import { hash, randomBytes } from 'node:crypto';
import { ASSERTION_ALGORITHMS, type Client } from '../core/clients/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { toNumber } from '../core/json/index.js';
import type { KeySet, KeySource } from '../core/keys/index.js';
import { nowSeconds } from '../core/time/index.js';
import {
  compilePolicy,
  verifyToken,
  type TokenPolicy,
  type VerificationKeys,
} from '../core/verify/index.js';
import type { StateStore } from '../state/index.js';
import { MAX_ASSERTION_LENGTH } from './presented-client.js';

/** Longest lifetime of an assertion in seconds, and so the time for which its use is remembered. */
const LONGEST_LIFE = 3600;
/** Seconds that the clocks of two servers may differ. */
const CLOCK_DIFFERENCE = 60;

/** What {@link verifyAssertion} checks with. */
export interface AssertionContext {
  /** Accepted values of `aud`: our issuer, and the URLs of the endpoints. */
  readonly audiences: readonly string[];
  /** Clock difference in seconds that is accepted. */
  readonly leeway: number;
  /** Keys of the client's `jwks_uri`. */
  readonly keys: VerificationKeys;
  readonly keySource: KeySource | undefined;
  readonly store: Pick<StateStore, 'putIfAbsent'>;
}

const policies = new WeakMap<Client, TokenPolicy>();

/**
 * Checks the assertion of a client that authenticates by `private_key_jwt` (RFC 7523 section 3): its
 * signature by a key of the client, `iss` and `sub`, `aud`, `exp`, and that it was not used before.
 *
 * @throws TokenRefusedError with the first check that fails
 * @throws KeysUnavailableException, StateUnavailableException
 */
export async function verifyAssertion(
  assertion: string,
  client: Client,
  context: AssertionContext,
): Promise<void> {
  const keys = client.jwks === undefined ? context.keys : keysOf(client.jwks);
  const policy = { ...policyFor(client, context), keySource: context.keySource };
  const { sub, exp, jti } = await verifyToken(assertion, policy, { keys });
  if (sub !== client.id)
    throw new TokenRefusedError('claim_invalid', 'sub is not the client_id', { claim: 'sub' });
  const left = (toNumber(exp) ?? 0) - nowSeconds();
  if (left > LONGEST_LIFE)
    throw new TokenRefusedError(
      'claim_invalid',
      `exp is ${Math.floor(left)} s ahead; at most ${LONGEST_LIFE} are accepted`,
      { claim: 'exp' },
    );
  const remembered = left + context.leeway + CLOCK_DIFFERENCE;
  if (!(await useOnce(client.id, String(jti), remembered, context.store)))
    throw new TokenRefusedError('claim_invalid', 'an assertion with this jti was used before', {
      claim: 'jti',
    });
}

/** The policy for assertions of a client, compiled once. */
function policyFor(client: Client, { audiences, leeway }: AssertionContext): TokenPolicy {
  let policy = policies.get(client);
  if (policy === undefined) {
    policy = compilePolicy(
      {},
      {
        algorithms: ASSERTION_ALGORITHMS,
        issuer: client.id,
        audience: audiences,
        types: ['JWT', 'client-authentication+jwt'],
        requiredClaims: ['sub', 'jti'],
        profile: 'none',
        maxTokenLength: MAX_ASSERTION_LENGTH,
        leeway,
      },
    );
    policies.set(client, policy);
  }
  return policy;
}

/** The keys of `jwks` in the registration. No others can be fetched. */
const keysOf = (jwks: KeySet): VerificationKeys => ({
  verificationKeys: (names) => jwks.verifiers(names, 'kid', nowSeconds()),
  awaitVerificationKeys: async () => [],
});

async function useOnce(
  clientId: string,
  jti: string,
  seconds: number,
  store: AssertionContext['store'],
): Promise<boolean> {
  // A digest, so that the key has a bounded length.
  const id = hash('sha256', JSON.stringify([clientId, jti]), 'base64url');
  const mine = randomBytes(12).toString('base64url');
  return (await store.putIfAbsent(`client-assertion:${id}`, mine, seconds * 1000)) === mine;
}
