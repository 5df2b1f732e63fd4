import { describe, expect, it } from 'vitest';
import * as auth from './auth/index.js';
import * as backend from './backend/index.js';
import * as root from './index.js';
import * as jwks from './jwks/index.js';
import * as session from './session/index.js';
import * as signing from './signing/index.js';
import * as state from './state/index.js';
import * as throttle from './throttle/index.js';
import * as token from './token/index.js';
import * as wellKnown from './well-known/index.js';

describe('the package', () => {
  it.each(
    Object.entries({
      auth,
      backend,
      jwks,
      session,
      signing,
      state,
      throttle,
      token,
      wellKnown,
    }),
  )(
    'exports the modules of /%s from its root as well: list them in src/index.ts',
    (_folder, subpath) => {
      const modules = Object.entries(subpath).filter(([name]) => name.endsWith('Module'));
      expect(modules).not.toEqual([]);
      expect(root).toMatchObject(Object.fromEntries(modules));
    },
  );
});
