import { isJsonObject } from '../../core/json/index.js';
import { isJwsAlgorithm, JWS_ALGORITHMS, keyMisfit } from '../../core/jws/index.js';
import { given, setting } from '../environment.js';
import { KeyError, KeySet, warnOfPublishedKeys } from './gateway-keys.js';
import { splitSet } from './key-file-contents.js';
import { signsNow } from './rotation-group.js';

/** Why the gateway would refuse a key file; unlike the gateway, this names the problem of each key. */
export function documentProblems(text: string, source: string): string[] {
  const whole = problemOf(() => KeySet.parse(text, source));
  if (whole === undefined) return [];
  const each = keysOf(text).flatMap(
    (jwk) => problemOf(() => KeySet.parse(JSON.stringify({ keys: [jwk] }), source)) ?? [],
  );
  return [...new Set([...each, whole])];
}

/** What the gateway would stumble over, or an attacker rejoice at, in a set that is well-formed. */
export function setProblems(set: KeySet): string[] {
  const problems: string[] = [];
  if (!set.entries().some(signsNow)) problems.push(`${set.source}: there is no key that signs`);
  problems.push(...rivals(set), ...outdated(set), ...configured(set));
  warnOfPublishedKeys(set, { warn: (message: string) => problems.push(message) });
  return problems;
}

function rivals(set: KeySet): string[] {
  const active = set
    .entries()
    .filter((entry) => entry.lifecycle?.state === 'active' && signsNow(entry));
  const seen = new Set<string>();
  return JWS_ALGORITHMS.flatMap((alg) => {
    const kids = active
      .filter(({ key }) => keyMisfit(key, alg) === undefined)
      .map(({ key }) => `'${key.kid}'`)
      .join(', ');
    // Keys without alg meet in several algorithms; once is enough to say so.
    if (!kids.includes(', ') || seen.has(kids)) return [];
    seen.add(kids);
    return [`${set.source}: more than one active key for ${alg}: ${kids}`];
  });
}

function outdated(set: KeySet): string[] {
  const now = Date.now() / 1000;
  return set
    .entries()
    .filter(
      ({ lifecycle }) =>
        lifecycle?.state === 'active' &&
        lifecycle.notAfter !== undefined &&
        lifecycle.notAfter <= now,
    )
    .map(
      ({ key }) =>
        `${set.source}: kid '${key.kid}' is active but its not_after is over: its tokens are refused`,
    );
}

/** Only if somebody configured it here: the defaults say nothing about another machine's file. */
function configured(set: KeySet): string[] {
  if (given('SIGNER_KID') === undefined && given('SIGNER_ALG') === undefined) return [];
  const alg = setting('SIGNER_ALG');
  if (!isJwsAlgorithm(alg)) return [`SIGNER_ALG is not a JWS algorithm`];
  const problem = problemOf(() => set.signer(alg, setting('SIGNER_KID')));
  return problem === undefined ? [] : [problem];
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof KeyError) return error.message;
    throw error;
  }
}

function keysOf(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    const { jwks } = splitSet(value);
    return isJsonObject(value) && Array.isArray(jwks) ? jwks : [];
  } catch {
    return [];
  }
}
