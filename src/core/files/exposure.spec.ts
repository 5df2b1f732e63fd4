import { describe, expect, it } from 'vitest';
import { describeExposure } from './index.js';

const [OWN, OTHER, ROOT] = [1000, 1001, 0];
const [PRIVATE, OPEN, STICKY] = [0o40_755, 0o40_777, 0o41_777];

describe('describeExposure', () => {
  it.each([
    ['of its own, in a folder of its own', 0o600, OWN, PRIVATE, undefined],
    ['that a group may read', 0o640, OWN, PRIVATE, undefined],
    ['that everybody may read', 0o644, OWN, PRIVATE, /mode 644.*chmod 600 keys\.json$/],
    ['that a group may write', 0o660, OWN, PRIVATE, /mode 660/],
    ['that everybody may write', 0o602, OWN, PRIVATE, /mode 602/],
    ['of another user, in a folder that he does not write', 0o600, OTHER, PRIVATE, undefined],
    ['of its own, in a folder that everybody writes', 0o600, OWN, OPEN, /replaced.*mode 777/],
    ['of its own, in /tmp', 0o600, OWN, STICKY, undefined],
    ['of root, in /tmp', 0o640, ROOT, STICKY, undefined],
    ['of another user, in /tmp', 0o640, OTHER, STICKY, /belongs to user 1001/],
  ] as const)('a file %s', (_what, mode, uid, folderMode, expected) => {
    const said = describeExposure('keys.json', { mode, uid, folderMode }, OWN);
    expect(said ?? '').toMatch(expected ?? /^$/);
  });
});
