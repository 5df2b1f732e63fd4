import {
  scheduledStep,
  type KeyLifecycle,
  type KeyState,
  type RotatingKey,
} from '../../../core/keys/index.js';
import { CommandError } from '../../command.error.js';

/** Waiting times of a rotation, in seconds. */
export interface RotationTiming {
  /** From the write of the file until every verifier knows a new key. */
  readonly publish: number;
  /** From the write of the file until the last token of the replaced key has expired. */
  readonly outlive: number;
  /** Minimum age of the active key before another one is prepared. */
  readonly every: number;
}

/** A step of a rotation. Times are NumericDates. */
export type Step =
  | { readonly kind: 'prepare'; readonly notBefore: number }
  | { readonly kind: 'schedule'; readonly kid: string; readonly notBefore: number }
  | {
      readonly kind: 'activate';
      readonly kid: string;
      readonly replaces: readonly string[];
      readonly notBefore: number;
      readonly notAfter: number;
    }
  | { readonly kind: 'retire'; readonly kids: readonly string[] }
  | {
      readonly kind: 'wait';
      readonly until: number;
      readonly kid: string;
      /** The step that is not due yet. */
      readonly step: Step;
    };

/**
 * Returns the next step of a rotation. A key is published before it signs, and verifies until its last token has
 * expired. The next rotation begins when this one is over.
 *
 * @param now seconds since 1970
 */
export function nextStep(
  keys: readonly RotatingKey[],
  now: number,
  { publish, outlive, every }: RotationTiming,
): Step {
  const scheduled = scheduledStep(keys, now);
  if (scheduled !== undefined) {
    const { kind, kids, at } = scheduled;
    const [kid = ''] = kids;
    if (kind === 'schedule') return { kind, kid, notBefore: now + publish };
    const replaces = inState(keys, 'active').map((key) => key.kid);
    const step: Step =
      kind === 'retire'
        ? { kind, kids }
        : { kind, kid, replaces, notBefore: now, notAfter: now + outlive };
    return now >= at ? step : { kind: 'wait', until: at, kid, step };
  }
  const prepare: Step = { kind: 'prepare', notBefore: now + publish };
  const [active] = inState(keys, 'active');
  const due = (active?.notBefore ?? -Infinity) + every;
  return active === undefined || now >= due
    ? prepare
    : { kind: 'wait', until: due, kid: active.kid, step: prepare };
}

/** Returns the keys after a step. The new key of the step `prepare` is not added. */
export function applyStep(keys: readonly RotatingKey[], step: Step): readonly RotatingKey[] {
  switch (step.kind) {
    case 'schedule':
      return change(keys, [step.kid], { notBefore: step.notBefore });
    case 'activate':
      return change(
        change(keys, step.replaces, { state: 'verifying', notAfter: step.notAfter }),
        [step.kid],
        { state: 'active', notBefore: step.notBefore },
      );
    case 'retire':
      return change(keys, step.kids, { state: 'retired' });
    default:
      return keys;
  }
}

/**
 * Gives states to keys that have none: one signs, the others verify until their last token has expired.
 *
 * @param named kid of the key that signs. Default: the only key that can sign
 * @param notAfter when the last token of the other keys has expired, in seconds since 1970
 * @throws CommandError when it is not clear which key signs
 */
export function assignStates(
  keys: readonly RotatingKey[],
  named: string | undefined,
  notAfter: number,
): readonly RotatingKey[] {
  const active = inState(keys, 'active').filter(({ canSign }) => canSign);
  if (active.length > 1)
    throw new CommandError(
      `${list(active)} are all active, only one may be; retire the others: signet keys retire <kid>`,
    );
  const plain = keys.filter(({ state }) => state === undefined);
  const able = plain.filter(({ canSign }) => canSign);
  const chosen =
    active[0] ?? able.find(({ kid }) => kid === named) ?? (able.length === 1 ? able[0] : undefined);
  if (chosen === undefined && able.length > 1)
    throw new CommandError(`${list(able)} can all sign; name the one that does with --kid`);
  return keys.map((key) => {
    if (key.state !== undefined) return key;
    if (key === chosen) return { ...key, state: 'active' };
    // Public keys belong to another issuer, whose tokens remain valid.
    return { ...key, state: 'verifying', notAfter: key.canSign ? notAfter : undefined };
  });
}

/** The keys in one state, in the order of the file. */
export const inState = (keys: readonly RotatingKey[], state: KeyState): RotatingKey[] =>
  keys.filter((key) => key.state === state);

const list = (keys: readonly RotatingKey[]): string => keys.map(({ kid }) => `'${kid}'`).join(', ');

const change = (
  keys: readonly RotatingKey[],
  kids: readonly string[],
  lifecycle: Partial<KeyLifecycle>,
): readonly RotatingKey[] =>
  keys.map((key) => (kids.includes(key.kid) ? { ...key, ...lifecycle } : key));
