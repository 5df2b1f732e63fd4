import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject } from '../../../core/json/index.js';
import { isJwsAlgorithm, JWS_ALGORITHMS, keyMisfit } from '../../../core/jws/index.js';
import { KeyError, KeySet, warnOfPublishedKeys } from '../../../core/keys/index.js';
import { epochSeconds } from '../../../core/time/index.js';
import type { Settings } from '../../settings.js';
import { splitSet, type KeyFileText } from './key-files.js';
import { signsNow } from './select-keys.js';

const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_ALL = 0o002;
/** Sticky bit. In a folder with it, only the owner of a file can replace the file. */
const STICKY = 0o1000;

/** Returns why the gateway would refuse a key file. Unlike the gateway, it reports the problem of each key. */
export function contentProblems(text: string, name: string): string[] {
  const whole = problemOf(() => KeySet.parse(text, name));
  if (whole === undefined) return [];
  const each = keysOf(text).flatMap(
    (jwk) => problemOf(() => KeySet.parse(JSON.stringify({ keys: [jwk] }), name)) ?? [],
  );
  return [...new Set([...each, whole])];
}

/** Returns what stops the gateway, or helps an attacker, in a well-formed set. */
export function setProblems(set: KeySet, settings: Settings): string[] {
  const problems: string[] = [];
  if (!set.entries().some(signsNow)) problems.push(`${set.source}: there is no key that signs`);
  problems.push(...activeTwice(set), ...activeTooLong(set), ...misconfigured(set, settings));
  warnOfPublishedKeys(set, { warn: (message: string) => problems.push(message) });
  return problems;
}

/**
 * Returns how other users can read or change a key file, a line each.
 *
 * @param path path of the file
 * @param name name of the file in messages
 */
export async function exposureProblems(
  path: string,
  name: string,
  { exposure }: KeyFileText,
): Promise<string[]> {
  if (process.platform === 'win32') return [];
  const problems: string[] = [];
  if (exposure !== undefined) problems.push(exposure);
  // A user who can write to an encrypted file can restore an old version of it.
  else if (((await stat(path)).mode & WRITABLE_BY_OTHERS) !== 0)
    problems.push(`${name} can be changed by others; run: chmod 600 ${name}`);
  const { mode } = await stat(dirname(path));
  const folder = dirname(name);
  if ((mode & WRITABLE_BY_ALL) !== 0 && (mode & STICKY) === 0)
    problems.push(
      `${folder} can be changed by everybody, and with it ${name}; run: chmod o-w ${folder}`,
    );
  return problems;
}

function activeTwice(set: KeySet): string[] {
  const active = set
    .entries()
    .filter((entry) => entry.lifecycle?.state === 'active' && signsNow(entry));
  const seen = new Set<string>();
  return JWS_ALGORITHMS.flatMap((alg) => {
    const kids = active
      .filter(({ key }) => keyMisfit(key, alg) === undefined)
      .map(({ key }) => `'${key.kid}'`)
      .join(', ');
    // Keys without `alg` conflict in several algorithms. They are reported once.
    if (!kids.includes(', ') || seen.has(kids)) return [];
    seen.add(kids);
    return [`${set.source}: more than one active key for ${alg}: ${kids}`];
  });
}

const activeTooLong = (set: KeySet): string[] =>
  set
    .entries()
    .filter(
      ({ lifecycle }) =>
        lifecycle?.state === 'active' &&
        lifecycle.notAfter !== undefined &&
        lifecycle.notAfter <= epochSeconds(),
    )
    .map(
      ({ key }) =>
        `${set.source}: kid '${key.kid}' is active but its not_after is over: its tokens are refused`,
    );

/**
 * Checks the set against SIGNER_KID and SIGNER_ALG if one of them is set: the defaults say nothing about the file of
 * another machine.
 */
function misconfigured(set: KeySet, settings: Settings): string[] {
  if (settings.given('SIGNER_KID') === undefined && settings.given('SIGNER_ALG') === undefined)
    return [];
  const alg = settings.text('SIGNER_ALG');
  if (!isJwsAlgorithm(alg)) return ['SIGNER_ALG is not a JWS algorithm'];
  const problem = problemOf(() => set.signer(alg, settings.text('SIGNER_KID')));
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
