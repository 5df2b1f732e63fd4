import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createFile,
  describeExposure,
  FileError,
  readTextFile,
  readTextFileSync,
  replaceFile,
} from './index.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-core-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** The error of a promise that has to be rejected. */
const failure = (work: Promise<unknown>): Promise<FileError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => {
      if (error instanceof FileError) return error;
      throw error;
    },
  );

describe('createFile', () => {
  it('makes a file and a folder for the owner only, and leaves nothing else behind', async () => {
    const path = join(folder, 'deep', 'er', 'file');
    await createFile(path, 'text');
    expect(readFileSync(path, 'utf8')).toBe('text');
    expect([modeOf(path), modeOf(join(folder, 'deep')), modeOf(join(folder, 'deep/er'))]).toEqual([
      '600',
      '700',
      '700',
    ]);
    expect(readdirSync(join(folder, 'deep/er'))).toEqual(['file']);
  });

  it('says so where its folder cannot be created', async () => {
    writeFileSync(join(folder, 'there'), 'a file');
    symlinkSync('/nowhere/at/all', join(folder, 'dangling'));
    // In /proc, Node's own mkdir tries again for ever.
    for (const above of [
      '/proc/none/at/all',
      join(folder, 'there/below'),
      join(folder, 'dangling'),
    ])
      expect((await failure(createFile(join(above, 'file'), 'text'))).message).toMatch(
        /its folder cannot be created \(E[A-Z]+\)$/,
      );
    expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('a file');
  });

  it('never replaces anything, not even a link that leads nowhere', async () => {
    writeFileSync(join(folder, 'there'), 'before');
    symlinkSync('/nowhere/at/all', join(folder, 'dangling'));
    for (const name of ['there', 'dangling']) {
      const path = join(folder, name);
      const error = await failure(createFile(path, 'after'));
      expect(error).toMatchObject({
        path,
        code: 'EEXIST',
        message: `${path}: exists already and is not overwritten`,
      });
    }
    expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('before');
    expect(readdirSync(folder).sort()).toEqual(['dangling', 'there']);
  });

  it('lets one of many win', async () => {
    const path = join(folder, 'raced');
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => createFile(path, `${i}`.repeat(1000))),
    );
    const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(readFileSync(path, 'utf8')).toBe(`${winners[0]}`.repeat(1000));
    expect(readdirSync(folder)).toEqual(['raced']);
  });

  it('says why it cannot', async () => {
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'below');
    const error = await failure(createFile(path, 'text'));
    expect(error.problem).toMatch(/^its folder cannot be created \((ENOTDIR|EEXIST)\)$/);
    // With EEXIST, callers would believe that the file itself exists.
    expect(error.code).toBeUndefined();
  });
});

describe('replaceFile', () => {
  const path = (): string => join(folder, 'file');

  it('keeps a safe mode and takes an unsafe one away', async () => {
    for (const [before, after] of [
      [0o600, '600'],
      [0o640, '640'],
      [0o644, '600'],
      [0o620, '600'],
    ] as const) {
      writeFileSync(path(), 'before');
      chmodSync(path(), before);
      await replaceFile(path(), 'after', 'before');
      expect([readFileSync(path(), 'utf8'), modeOf(path())]).toEqual(['after', after]);
    }
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves a file alone that somebody else has changed meanwhile', async () => {
    writeFileSync(path(), 'theirs');
    const error = await failure(replaceFile(path(), 'ours', 'before'));
    expect(error.problem).toBe('was changed by another process meanwhile; try again');
    expect(readFileSync(path(), 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('creates nothing', async () => {
    const error = await failure(replaceFile(path(), 'ours', ''));
    expect(error.problem).toBe('cannot be written (ENOENT)');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.each([
  ['readTextFile', readTextFile],
  ['readTextFileSync', async (path: string, maxBytes?: number) => readTextFileSync(path, maxBytes)],
])('%s', (_, read) => {
  it('gives text and mode', async () => {
    writeFileSync(join(folder, 'file'), 'ä\n', { mode: 0o640 });
    const { text, mode } = await read(join(folder, 'file'));
    expect([text, (mode & 0o777).toString(8)]).toEqual(['ä\n', '640']);
  });

  it('leaves a byte order mark out, and a file that had one can be replaced', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '\uFEFF{"a":1}');
    const { text } = await read(path);
    expect(text).toBe('{"a":1}');
    await replaceFile(path, '{"a":2}', text);
    expect((await read(path)).text).toBe('{"a":2}');
  });

  it('reads no more than it was told to', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '12345');
    expect((await read(path, 5)).text).toBe('12345');
    expect((await failure(read(path, 4))).message).toBe(`${path}: larger than 4 bytes`);
  });

  it('says why it cannot', async () => {
    mkdirSync(join(folder, 'directory'));
    expect((await failure(read(join(folder, 'absent')))).code).toBe('ENOENT');
    expect((await failure(read(join(folder, 'directory')))).problem).toBe(
      'cannot be read (EISDIR)',
    );
  });
});

describe.skipIf(process.platform === 'win32')('describeExposure', () => {
  const ME = 1000;
  const file = (mode: number, folderMode = 0o700, uid = ME) =>
    describeExposure(
      'k.json',
      { mode: 0o100_000 | mode, uid, folderMode: 0o040_000 | folderMode },
      ME,
    );

  it.each([0o600, 0o400, 0o640, 0o440, 0o750])('mode %o is safe', (mode) => {
    expect(file(mode)).toBeUndefined();
  });

  it.each([0o644, 0o604, 0o620, 0o602, 0o660, 0o666])('mode %o is not', (mode) => {
    expect(file(mode)).toBe(
      `k.json can be read or changed by others (mode ${mode.toString(8)}); run: chmod 600 k.json`,
    );
  });

  it.each([
    [0o755, 1001, /^undefined$/],
    [0o775, 1001, /^undefined$/],
    [0o1777, ME, /^undefined$/],
    // As Kubernetes makes the files of secrets.
    [0o1777, 0, /^undefined$/],
    [0o1777, 1001, /^k.json belongs to user 1001, in a folder that everybody can write/],
    [0o777, ME, /^k.json can be replaced by everybody who can write its folder \(mode 777\)/],
    [0o773, 0, /can be replaced/],
  ])('in a folder of mode %o, a file of user %i', (folderMode, uid, expected) => {
    expect(String(file(0o600, folderMode, uid))).toMatch(expected);
  });

  it.each([
    ['readTextFile', readTextFile],
    ['readTextFileSync', async (path: string) => readTextFileSync(path)],
  ])('is about the file to which a link leads, and about the link: %s', async (_, read) => {
    const [there, here] = [join(folder, 'there'), join(folder, 'here')];
    for (const made of [there, here]) mkdirSync(made, { mode: 0o700 });
    writeFileSync(join(there, 'real.json'), '{}', { mode: 0o600 });
    const path = join(here, 'k.json');
    symlinkSync('../there/real.json', path);
    const exposure = async (): Promise<string | undefined> =>
      describeExposure(path, await read(path));
    expect(await exposure()).toBeUndefined();
    chmodSync(there, 0o777);
    expect(await exposure()).toMatch(/^the file to which .*k\.json leads can be replaced/);
    chmodSync(there, 0o700);
    chmodSync(here, 0o777);
    expect(await exposure()).toMatch(/k\.json can be replaced by everybody/);
    const access = { mode: 0o100_600, uid: ME, folderMode: 0o040_700 };
    const link = (uid: number) => ({ ...access, link: { uid, folderMode: 0o041_777 } });
    // In /tmp (sticky), the owner of a link can make it lead elsewhere.
    expect(describeExposure('k.json', link(1001), ME)).toMatch(/^k\.json belongs to user 1001/);
    expect(describeExposure('k.json', link(ME), ME)).toBeUndefined();
  });

  it('is what a file that was read says of itself', async () => {
    const path = join(folder, 'k.json');
    writeFileSync(path, '{}', { mode: 0o600 });
    expect(describeExposure(path, await readTextFile(path))).toBeUndefined();
    chmodSync(folder, 0o777);
    expect(describeExposure(path, await readTextFile(path))).toMatch(/can be replaced/);
  });
});
