import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VECTORS_RUNNER, withoutVectors } from './helpers/run/programs.js';

describe('published vectors (Wycheproof, RFC 7515, 7520, 7797, 8037)', () => {
  it.skipIf(withoutVectors)(
    'get the verdict they were published with',
    () => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [VECTORS_RUNNER, '--adapter', resolve('test/vectors-adapter.mjs')],
        { encoding: 'utf8', timeout: 60_000 },
      );
      const output = stdout + stderr;
      // The number of vectors guards against a runner that found nothing to run.
      expect(Number(/vectors: (\d+)/.exec(output)?.[1])).toBeGreaterThan(400);
      // The whole output, so that a failure shows the vectors that failed.
      expect(output).toMatch(/failed\(must\): 0 \(accepted although invalid: 0\)/);
      expect(status).toBe(0);
    },
    90_000,
  );
});
