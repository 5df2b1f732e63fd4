import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEY_STATES, type RotatingKey } from '../../../core/keys/index.js';
import {
  applyStep,
  assignStates,
  inState,
  nextStep,
  type RotationTiming,
  type Step,
} from './rotation-rules.js';

const NOW = 1_800_000_000;
const TIMING: RotationTiming = { publish: 300, outlive: 3600, every: 0 };
const key = (kid: string, rest: Partial<RotatingKey> = {}): RotatingKey => ({
  kid,
  canSign: true,
  ...rest,
});
const next = (keys: RotatingKey[], timing: Partial<RotationTiming> = {}): Step =>
  nextStep(keys, NOW, { ...TIMING, ...timing });
const active = (kid = 'a', notBefore?: number): RotatingKey =>
  key(kid, { state: 'active', notBefore });

describe('nextStep', () => {
  it('prepares a key where there is none, or only one that signs', () => {
    const prepare = { kind: 'prepare', notBefore: NOW + 300 };
    expect(next([])).toEqual(prepare);
    expect(next([active()])).toEqual(prepare);
    expect(next([active('a', NOW)])).toEqual(prepare);
    expect(next([key('r', { state: 'retired' })])).toEqual(prepare);
  });

  it('waits until the active key is old enough', () => {
    const every = 86_400;
    expect(next([active('a', NOW - every)], { every })).toMatchObject({ kind: 'prepare' });
    expect(next([active('a', NOW - every + 1)], { every })).toEqual({
      kind: 'wait',
      until: NOW + 1,
      kid: 'a',
      step: { kind: 'prepare', notBefore: NOW + 300 },
    });
    // The age of this key is unknown.
    expect(next([active()], { every })).toMatchObject({ kind: 'prepare' });
  });

  it('gives a date to a pending key that has none', () => {
    expect(next([active(), key('p', { state: 'pending' })])).toEqual({
      kind: 'schedule',
      kid: 'p',
      notBefore: NOW + 300,
    });
  });

  it('activates a pending key when its time has come, and not a second before', () => {
    const activate = {
      kind: 'activate',
      kid: 'p',
      replaces: ['a'],
      notBefore: NOW,
      notAfter: NOW + 3600,
    };
    expect(next([active(), key('p', { state: 'pending', notBefore: NOW })])).toEqual(activate);
    expect(next([active(), key('p', { state: 'pending', notBefore: NOW + 1 })])).toEqual({
      kind: 'wait',
      until: NOW + 1,
      kid: 'p',
      step: activate,
    });
  });

  it('takes the pending key that is due first, and none that cannot sign', () => {
    const step = next([
      key('public', { state: 'pending', notBefore: 1, canSign: false }),
      key('undated', { state: 'pending' }),
      key('late', { state: 'pending', notBefore: NOW - 1 }),
      key('early', { state: 'pending', notBefore: NOW - 2 }),
    ]);
    expect(step).toMatchObject({ kind: 'activate', kid: 'early', replaces: [] });
  });

  it('retires what is over before anything else, and waits for the rest', () => {
    const old = (kid: string, notAfter?: number): RotatingKey =>
      key(kid, { state: 'verifying', notAfter });
    const pending = key('p', { state: 'pending', notBefore: NOW });
    expect(next([old('x', NOW), old('y', NOW - 5), old('z', NOW + 1), pending])).toEqual({
      kind: 'retire',
      kids: ['y', 'x'],
    });
    expect(next([active(), old('later', NOW + 9), old('sooner', NOW + 5)])).toEqual({
      kind: 'wait',
      until: NOW + 5,
      kid: 'sooner',
      step: { kind: 'retire', kids: ['sooner'] },
    });
    // A key of a partner has no end.
    expect(next([active(), old('partner')])).toMatchObject({ kind: 'prepare' });
  });
});

describe('applyStep', () => {
  const keys = [active(), key('p', { state: 'pending', notBefore: NOW })];

  it('changes the keys that it names, and no others', () => {
    expect(applyStep(keys, next(keys))).toEqual([
      key('a', { state: 'verifying', notAfter: NOW + 3600 }),
      key('p', { state: 'active', notBefore: NOW }),
    ]);
    expect(applyStep(keys, { kind: 'retire', kids: ['a'] })).toEqual([
      key('a', { state: 'retired' }),
      keys[1],
    ]);
    expect(applyStep(keys, { kind: 'schedule', kid: 'p', notBefore: 5 })[1]).toEqual(
      key('p', { state: 'pending', notBefore: 5 }),
    );
  });

  it('leaves them where nothing is due', () => {
    expect(applyStep(keys, { kind: 'prepare', notBefore: 1 })).toBe(keys);
  });
});

describe('assignStates', () => {
  const states = (keys: readonly RotatingKey[]) => keys.map(({ kid, state }) => `${kid} ${state}`);

  it('has the only key that can sign sign, and public ones verify without end', () => {
    const keys = assignStates([key('a'), key('partner', { canSign: false })], undefined, NOW);
    expect(keys).toEqual([
      key('a', { state: 'active' }),
      key('partner', { canSign: false, state: 'verifying', notAfter: undefined }),
    ]);
  });

  it('has the named key sign, and the others verify until their last token is over', () => {
    expect(assignStates([key('a'), key('b')], 'b', NOW)).toEqual([
      key('a', { state: 'verifying', notAfter: NOW }),
      key('b', { state: 'active' }),
    ]);
  });

  it('leaves states as they are', () => {
    const keys = [active(), key('p', { state: 'pending' }), key('b')];
    expect(states(assignStates(keys, 'b', NOW))).toEqual(['a active', 'p pending', 'b verifying']);
  });

  it('refuses to guess', () => {
    expect(() => assignStates([key('a'), key('b')], undefined, NOW)).toThrow(
      /'a', 'b' can all sign; name the one that does with --kid/,
    );
    expect(() => assignStates([key('a'), key('b')], 'c', NOW)).toThrow(/can all sign/);
    expect(() => assignStates([active('a'), active('b')], 'a', NOW)).toThrow(
      /'a', 'b' are all active/,
    );
  });
});

describe('a rotation', () => {
  /** As cron does: a call now and then, with a fresh key whenever one is to be prepared. */
  function* rotate(keys: readonly RotatingKey[], timing: RotationTiming, delays: number[]) {
    let now = NOW;
    let set = keys;
    for (const [index, delay] of delays.entries()) {
      const step = nextStep(set, now, timing);
      set = applyStep(set, step);
      if (step.kind === 'prepare')
        set = [...set, key(`k${index}`, { state: 'pending', notBefore: step.notBefore })];
      yield { now, step, set };
      now += delay;
    }
  }

  it('never has two keys sign, nor one that was not published, nor forgets one too early', () => {
    const seconds = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(
        fc.record({ publish: seconds, outlive: seconds, every: seconds }),
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 20, maxLength: 60 }),
        (timing, delays) => {
          const published = new Map<string, number>([['first', -Infinity]]);
          const replaced = new Map<string, number>();
          const first = [key('first', { state: 'active', notBefore: NOW })];
          const problems: string[] = [];
          for (const { now, step, set } of rotate(first, timing, delays)) {
            if (inState(set, 'active').length !== 1) problems.push(`${now}: not one key signs`);
            for (const { kid } of set) if (!published.has(kid)) published.set(kid, now);
            if (step.kind === 'activate') {
              if (now - (published.get(step.kid) ?? NaN) < timing.publish)
                problems.push(`${now}: ${step.kid} signs, and verifiers may not know it`);
              for (const kid of step.replaces) replaced.set(kid, now);
            }
            const retired = step.kind === 'retire' ? step.kids : [];
            for (const kid of retired)
              if (!(now - (replaced.get(kid) ?? NaN) >= timing.outlive))
                problems.push(`${now}: ${kid} is retired before its last token is over`);
          }
          expect(problems).toEqual([]);
        },
      ),
    );
  });

  it('goes on for ever when it is called often enough', () => {
    const timing = { publish: 300, outlive: 3600, every: 86_400 };
    const calls = Array.from({ length: 1000 }, () => 3600);
    const steps = [...rotate([active('first', NOW)], timing, calls)].map(({ step }) => step.kind);
    // 1000 hours are 41 days; a rotation takes a day and some calls.
    expect(steps.filter((kind) => kind === 'activate').length).toBeGreaterThan(35);
  });

  it('waits for what is in the future, whatever the keys are', () => {
    const anyKey = fc.record({
      kid: fc.constantFrom('a', 'b', 'c', 'd'),
      canSign: fc.boolean(),
      state: fc.constantFrom(...KEY_STATES),
      notBefore: fc.option(fc.integer({ min: NOW - 10, max: NOW + 10 }), { nil: undefined }),
      notAfter: fc.option(fc.integer({ min: NOW - 10, max: NOW + 10 }), { nil: undefined }),
    });
    const holds = fc.check(
      fc.property(fc.uniqueArray(anyKey, { selector: ({ kid }) => kid }), (keys) => {
        const step = next(keys);
        // The time to wait for is in the future, and a key to activate can sign.
        return step.kind === 'wait'
          ? step.until > NOW
          : step.kind !== 'activate' || keys.some((one) => one.kid === step.kid && one.canSign);
      }),
    );
    expect(fc.defaultReportMessage(holds)).toBeUndefined();
  });
});
