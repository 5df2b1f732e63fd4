import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Fills the young generation of a thread, and prints how many MB of it can be used. */
const THREAD = `
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8');
  let kept;
  for (let i = 0; i < 2e6; i++) kept = [i, { i }];
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  console.log(Math.round((young.space_used_size + young.space_available_size) / 2 ** 20));`;

it('leaves 8 MB to the main thread, and 1 MB to a thread, whatever options Node was started with', async () => {
  const script = `
    import { Worker } from 'node:worker_threads';
    import { boundThreadHeaps } from ${JSON.stringify(pathToFileURL('src/process/thread-heaps.ts').href)};
    boundThreadHeaps();
    const thread = new Worker(${JSON.stringify(THREAD)}, { eval: true });
    thread.once('exit', () => eval(${JSON.stringify(THREAD)}));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--min-semi-space-size=8',
    '--max-semi-space-size=8',
    '--input-type=module',
    '-e',
    script,
  ]);
  expect(stdout).toBe('1\n8\n');
});
