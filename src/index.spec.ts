import { describe, expect, it } from 'vitest';
import * as auth from './auth/index.js';
import * as backend from './backend/index.js';
import * as root from './index.js';
import * as jwks from './jwks/index.js';
import * as signing from './signing/index.js';
import * as state from './state/index.js';

describe('the package', () => {
  it.each(Object.entries({ auth, backend, jwks, signing, state }))(
    'exports from its root what it exports from /%s: list it in src/index.ts, too',
    (_folder, subpath) => {
      expect(Object.keys(subpath)).not.toEqual([]);
      expect(root).toMatchObject(subpath);
    },
  );
});
