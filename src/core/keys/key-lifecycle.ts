import { isJsonObject } from '../json/index.js';
import { KeyError, quote } from './key.error.js';

/**
 * State of a key in its rotation. `pending`: published, does not sign yet. `active`: signs.
 * `verifying`: does not sign any more, its tokens are still accepted. `retired`: its tokens are refused at once.
 */
export type KeyState = (typeof KEY_STATES)[number];
export const KEY_STATES = ['pending', 'active', 'verifying', 'retired'] as const;

/** The member `signet` of a JWK: `{"state","not_before","not_after"}`, times as NumericDate. */
export interface KeyLifecycle {
  readonly state: KeyState;
  /** Seconds since 1970 before which a pending key is not activated. */
  readonly notBefore?: number;
  /** Seconds since 1970 from which on tokens of this key are refused. */
  readonly notAfter?: number;
}

/**
 * Reads the lifecycle of a JWK.
 *
 * @returns `undefined` for a plain JWK, which may always sign and verify
 * @throws KeyError if the member `signet` is malformed
 */
export function readLifecycle(
  jwk: Readonly<Record<string, unknown>>,
  kid: string,
): KeyLifecycle | undefined {
  if (!Object.hasOwn(jwk, 'signet')) return undefined;
  const { signet } = jwk;
  if (!isJsonObject(signet)) throw new KeyError(`kid '${kid}': 'signet' is not an object`);
  const state = KEY_STATES.find((name) => name === signet.state);
  if (state === undefined)
    throw new KeyError(
      `kid '${kid}': state ${quote(signet.state)} is not one of ${KEY_STATES.join(', ')}`,
    );
  return {
    state,
    notBefore: time(signet, 'not_before', kid),
    notAfter: time(signet, 'not_after', kid),
  };
}

function time(signet: Record<string, unknown>, name: string, kid: string): number | undefined {
  const value = signet[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new KeyError(`kid '${kid}': '${name}' is not a number of seconds since 1970`);
  return value;
}

/** The properties of a key that a rotation needs; `state` is absent in a plain JWK. */
export interface RotatingKey extends Partial<KeyLifecycle> {
  readonly kid: string;
  readonly canSign: boolean;
}

/** The next step of a rotation. */
export interface ScheduledStep {
  /** `schedule`: a pending key gets its date; `activate`: the key begins to sign; `retire`: its tokens are refused. */
  readonly kind: 'schedule' | 'activate' | 'retire';
  readonly kids: readonly string[];
  /** Time of the step in seconds since 1970; it may be past. */
  readonly at: number;
}

/**
 * Returns the next step of a rotation: a key past its `not_after` is retired, a pending key is activated once it is
 * known everywhere. `undefined` if no rotation is under way.
 *
 * @param keys the keys of one algorithm
 * @param now seconds since 1970
 */
export function scheduledStep(
  keys: readonly RotatingKey[],
  now: number,
): ScheduledStep | undefined {
  const expiring = keys
    .flatMap(({ kid, state, notAfter }) =>
      state === 'verifying' && notAfter !== undefined ? [{ kid, at: notAfter }] : [],
    )
    .sort((one, other) => one.at - other.at);
  const over = expiring.filter(({ at }) => now >= at);
  const retire = (expired: typeof expiring): ScheduledStep | undefined =>
    expired[0] && { kind: 'retire', kids: expired.map(({ kid }) => kid), at: expired[0].at };
  if (over.length > 0) return retire(over);
  const [pending] = keys
    .filter(({ state, canSign }) => state === 'pending' && canSign)
    // A key without a date comes last.
    .sort((one, other) => (one.notBefore ?? Infinity) - (other.notBefore ?? Infinity) || 0);
  if (pending === undefined) return retire(expiring.slice(0, 1));
  const { kid, notBefore } = pending;
  return notBefore === undefined
    ? { kind: 'schedule', kids: [kid], at: now }
    : { kind: 'activate', kids: [kid], at: notBefore };
}
