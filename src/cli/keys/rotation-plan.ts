import type { JwsAlgorithm } from '../../core/jws/index.js';
import { CommandError } from '../command.error.js';
import { adoptPlainKeys } from './adopt-plain-keys.js';
import type { Jwk, KeyDocument } from './key-file-contents.js';
import { configuredKid, findKey, rotationGroupOf } from './rotation-group.js';
import { createJwk, withLifecycle } from './new-key.js';
import {
  applyStep,
  inState,
  nextStep,
  type RotatingKey,
  type RotationTiming,
  type Step,
} from './rotation.js';
import { describeDanger, describeNext, describeStep, rotationNotes } from './rotation-report.js';

/** What the caller wants beyond the due step. */
export interface RotationWishes {
  /** The key that signs, where the file does not say. */
  readonly kid?: string;
  readonly purge?: boolean;
  readonly now?: boolean;
  readonly force?: boolean;
}

/** One step of a rotation, ready to be written. */
export interface RotationPlan {
  /** The keys of the file afterwards; `undefined` when nothing changes. */
  readonly jwks: readonly Jwk[] | undefined;
  /** What was done and what comes next, for the operator. */
  readonly lines: readonly string[];
}

/**
 * Plans the next step for the keys of one algorithm; those of others stay as they are.
 *
 * @param now seconds since 1970
 * @throws CommandError when a step is wanted before it is safe
 */
export async function planRotation(
  document: KeyDocument,
  alg: JwsAlgorithm,
  timing: RotationTiming,
  wishes: RotationWishes,
  now: number,
): Promise<RotationPlan> {
  const before = statesOf(document, alg);
  const keys = adoptPlainKeys(before, signingKid(document, wishes.kid), now + timing.outlive);
  // Keys that just got their state may be in their last days; they do not hold up the rotation.
  const plain = before.some(({ state }) => state === undefined);
  const planned: Step = plain
    ? { kind: 'prepare', notBefore: now + timing.publish }
    : nextStep(keys, now, timing);
  const step = planned.kind === 'wait' && wishes.now === true ? hurry(planned, wishes) : planned;
  const created = step.kind === 'prepare' ? await successor(document, alg, keys) : undefined;
  const after = [...applyStep(keys, step), ...pending(created, step)];
  const purged = wishes.purge === true ? inState(after, 'retired').map(({ kid }) => kid) : [];

  const lines = [describeStep(step, kidOf(created)), ...purged.map((kid) => `removed    ${kid}`)];
  lines.push(describeNext(nextStep(after, now, timing)));
  if (step.kind === 'wait' && purged.length === 0) return { jwks: undefined, lines };
  if (step.kind === 'prepare' || step.kind === 'activate')
    lines.push(...rotationNotes(alg.startsWith('HS')));
  const states = new Map(after.map((key) => [key.kid, key]));
  const jwks = [...document.jwks, ...(created === undefined ? [] : [created])]
    .map((jwk) => withState(jwk, states.get(kidOf(jwk))))
    .filter((jwk) => !purged.includes(kidOf(jwk)));
  return { jwks, lines };
}

const statesOf = (document: KeyDocument, alg: JwsAlgorithm): RotatingKey[] =>
  rotationGroupOf(document, alg).map(({ key, lifecycle }) => ({
    kid: key.kid,
    canSign: key.signing !== undefined,
    state: lifecycle?.state,
    notBefore: lifecycle?.notBefore,
    notAfter: lifecycle?.notAfter,
  }));

/** As the command line names it, else as the gateway's environment does. */
function signingKid(document: KeyDocument, named: string | undefined): string | undefined {
  if (named !== undefined) return findKey(document, named).key.kid;
  const configured = configuredKid();
  return configured === undefined
    ? undefined
    : document.set
        .entries()
        .find(({ key, thumbprint }) => key.kid === configured || thumbprint === configured)?.key
        .kid;
}

function hurry(planned: Extract<Step, { kind: 'wait' }>, { force }: RotationWishes): Step {
  if (planned.step.kind !== 'prepare' && force !== true)
    throw new CommandError(describeDanger(planned));
  return planned.step;
}

/** A key like the one it will replace. */
function successor(
  document: KeyDocument,
  alg: JwsAlgorithm,
  keys: readonly RotatingKey[],
): Promise<Jwk> {
  const [active] = inState(keys, 'active');
  const key = active === undefined ? undefined : document.set.get(active.kid);
  return createJwk(alg, undefined, key?.signing?.asymmetricKeyDetails?.modulusLength);
}

const pending = (created: Jwk | undefined, step: Step): RotatingKey[] =>
  created === undefined || step.kind !== 'prepare'
    ? []
    : [{ kid: kidOf(created), canSign: true, state: 'pending', notBefore: step.notBefore }];

function withState(jwk: Jwk, key: RotatingKey | undefined): Jwk {
  if (key?.state === undefined) return jwk;
  return withLifecycle(jwk, {
    state: key.state,
    notBefore: key.notBefore,
    notAfter: key.notAfter,
  });
}

const kidOf = (jwk: Jwk | undefined): string => (typeof jwk?.kid === 'string' ? jwk.kid : '');
