import {
  isJwsAlgorithm,
  isSameAlgorithm,
  keyMisfit,
  type JwsAlgorithm,
} from '../../../core/jws/index.js';
import type { ImportedKey, RotatingKey } from '../../../core/keys/index.js';
import { CommandError } from '../../command.error.js';
import { toIsoTime } from '../../output.js';
import type { Settings } from '../../settings.js';
import type { Jwk, KeyFileContents } from '../files/key-files.js';
import { algorithmsOf, configuredKid, findKey } from '../files/select-keys.js';
import { createJwk, withLifecycle } from '../material/new-key.js';
import {
  applyStep,
  assignStates,
  inState,
  nextStep,
  type RotationTiming,
  type Step,
} from './rotation-rules.js';

/** Options of {@link rotateKeys}. */
export interface RotationOptions {
  /** The algorithm whose keys are rotated. Default: see {@link chooseAlgorithm}. */
  readonly alg?: JwsAlgorithm;
  /** Kid of the key that signs, for a file whose keys have no states. */
  readonly kid?: string;
  readonly purge?: boolean;
  readonly now?: boolean;
  readonly force?: boolean;
}

/** One step of a rotation, before it is written to the file. */
export interface Rotation {
  /** The keys of the file afterwards; `undefined` when nothing changes. */
  readonly jwks: readonly Jwk[] | undefined;
  readonly alg: JwsAlgorithm;
  /** Other algorithms of the file; empty if an option or a variable names the algorithm or the key. */
  readonly otherAlgorithms: readonly JwsAlgorithm[];
  readonly step: Step;
  /** Kid of the new key, if the step made one. */
  readonly created: string | undefined;
  /** Kids of retired keys that are removed. */
  readonly purged: readonly string[];
  /** The step after this one. */
  readonly next: Step;
}

/**
 * Does the next step for the keys of one algorithm. Keys of other algorithms are not changed.
 *
 * @param now seconds since 1970
 * @throws CommandError when it is not clear which keys are meant, or a step is wanted before it is safe
 */
export async function rotateKeys(
  contents: KeyFileContents,
  options: RotationOptions,
  timing: RotationTiming,
  settings: Settings,
  now: number,
): Promise<Rotation> {
  const { alg, otherAlgorithms } = chooseAlgorithm(contents, options, settings);
  const before = rotatingKeys(contents, alg);
  const signer = signingKid(contents, options.kid, settings);
  const keys = assignStates(before, signer, now + timing.outlive);
  // Keys that get their first state now may still verify for some time. They do not delay the rotation.
  const plain = before.some(({ state }) => state === undefined);
  const due: Step = plain
    ? { kind: 'prepare', notBefore: now + timing.publish }
    : nextStep(keys, now, timing);
  const step = due.kind === 'wait' && options.now === true ? stepBeforeTime(due, options) : due;
  const fresh = step.kind === 'prepare' ? await successor(contents, alg, keys) : undefined;
  const after = [...applyStep(keys, step), ...pendingKey(fresh, step)];
  const purged = options.purge === true ? inState(after, 'retired').map(({ kid }) => kid) : [];
  const states = new Map(after.map((key) => [key.kid, key]));
  const jwks = [...contents.jwks, ...(fresh === undefined ? [] : [fresh])]
    .map((jwk) => withState(jwk, states.get(kidOf(jwk))))
    .filter((jwk) => !purged.includes(kidOf(jwk)));
  return {
    jwks: step.kind === 'wait' && purged.length === 0 ? undefined : jwks,
    alg,
    otherAlgorithms,
    step,
    created: fresh === undefined ? undefined : kidOf(fresh),
    purged,
    next: nextStep(after, now, timing),
  };
}

/**
 * Chooses the algorithm whose keys are rotated: that of the option `alg`, that of the key in the option `kid` or in
 * `SIGNER_KID`, that of `SIGNER_ALG` or its default, or the only one that the file signs with.
 *
 * @throws CommandError when it is not clear
 */
function chooseAlgorithm(
  contents: KeyFileContents,
  { alg, kid }: RotationOptions,
  settings: Settings,
): Pick<Rotation, 'alg' | 'otherAlgorithms'> {
  if (alg !== undefined) return { alg, otherAlgorithms: [] };
  const saysAlgorithm = settings.given('SIGNER_ALG') !== undefined;
  const named = kid ?? (saysAlgorithm ? undefined : configuredKid(settings));
  const candidates =
    named === undefined ? contents.set.entries().filter(maySign) : [findKey(contents, named)];
  const possible = algorithmsOf(...candidates.map(({ key }) => key));
  const [only] = possible;
  if (only === undefined) throw new CommandError(`${contents.name}: no key can sign`);
  const signerAlg = settings.text('SIGNER_ALG');
  const configured =
    isJwsAlgorithm(signerAlg) && possible.some((candidate) => isSameAlgorithm(candidate, signerAlg))
      ? signerAlg
      : undefined;
  if (configured === undefined && possible.length > 1)
    throw new CommandError(
      `${contents.name}: its keys serve ${possible.map((name) => describeAlgorithm(name, candidates)).join(', ')}; choose one with --alg, or set SIGNER_ALG`,
    );
  const chosen = configured ?? only;
  const others = possible.filter((candidate) => !isSameAlgorithm(candidate, chosen));
  return { alg: chosen, otherAlgorithms: saysAlgorithm || named !== undefined ? [] : others };
}

const maySign = ({ key, lifecycle }: ImportedKey): boolean =>
  key.signing !== undefined && lifecycle?.state !== 'retired';

const describeAlgorithm = (alg: JwsAlgorithm, keys: readonly ImportedKey[]): string =>
  `${alg} (${keys
    .filter(({ key }) => keyMisfit(key, alg) === undefined)
    .map(({ key }) => key.kid)
    .join(', ')})`;

const rotatingKeys = ({ set }: KeyFileContents, alg: JwsAlgorithm): RotatingKey[] =>
  set
    .entries()
    .filter(({ key }) => keyMisfit(key, alg) === undefined)
    .map(({ key, lifecycle }) => ({
      kid: key.kid,
      canSign: key.signing !== undefined,
      state: lifecycle?.state,
      notBefore: lifecycle?.notBefore,
      notAfter: lifecycle?.notAfter,
    }));

/** Returns the kid of the key that signs, by the command line or else by the settings of the gateway. */
function signingKid(
  contents: KeyFileContents,
  named: string | undefined,
  settings: Settings,
): string | undefined {
  if (named !== undefined) return findKey(contents, named).key.kid;
  const configured = configuredKid(settings);
  return configured === undefined
    ? undefined
    : contents.set
        .entries()
        .find(({ key, thumbprint }) => key.kid === configured || thumbprint === configured)?.key
        .kid;
}

/** Returns a step that is not due yet, for `--now`. @throws CommandError when it is not safe, without `--force` */
function stepBeforeTime(
  { step, kid, until }: Extract<Step, { kind: 'wait' }>,
  { force }: RotationOptions,
): Step {
  // Preparing another key early is always safe.
  if (step.kind === 'prepare' || force === true) return step;
  const reason =
    step.kind === 'activate'
      ? `before ${toIsoTime(until)} verifiers may not know '${kid}' yet and would refuse its tokens`
      : `before ${toIsoTime(until)} there may be valid tokens of '${kid}', which would be refused`;
  throw new CommandError(`too early: ${reason}; --force does it nevertheless`);
}

/** Makes a key like the one that it will replace. */
function successor(
  { set }: KeyFileContents,
  alg: JwsAlgorithm,
  keys: readonly RotatingKey[],
): Promise<Jwk> {
  const [active] = inState(keys, 'active');
  const key = active === undefined ? undefined : set.get(active.kid);
  return createJwk(alg, undefined, key?.signing?.asymmetricKeyDetails?.modulusLength);
}

const pendingKey = (fresh: Jwk | undefined, step: Step): RotatingKey[] =>
  fresh === undefined || step.kind !== 'prepare'
    ? []
    : [{ kid: kidOf(fresh), canSign: true, state: 'pending', notBefore: step.notBefore }];

const withState = (jwk: Jwk, key: RotatingKey | undefined): Jwk =>
  key?.state === undefined
    ? jwk
    : withLifecycle(jwk, { state: key.state, notBefore: key.notBefore, notAfter: key.notAfter });

const kidOf = ({ kid }: Jwk): string => (typeof kid === 'string' ? kid : '');
