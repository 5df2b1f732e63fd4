import { createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { holdTickShape } from './tick-shape.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Refers to the resources of the ticks that `work` schedules. */
function ticksOf(work: () => void): WeakRef<object>[] {
  const ticks: WeakRef<object>[] = [];
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') ticks.push(new WeakRef(resource));
    },
  }).enable();
  work();
  hook.disable();
  return ticks;
}

it('holds the resource of a tick, which V8 would collect otherwise', async () => {
  const [other, held] = ticksOf(() => {
    process.nextTick(() => undefined);
    holdTickShape();
  });
  await nextTurn();
  collectGarbage();
  await nextTurn();
  expect(other?.deref()).toBeUndefined();
  expect(Object.getOwnPropertySymbols(held?.deref() ?? {}).map(String)).toContain(
    'Symbol(async_id_symbol)',
  );
});
