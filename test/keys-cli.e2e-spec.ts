import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { JWS_ALGORITHMS, type JwsAlgorithm } from '../src/index.js';
import { outputOf, refusalOf, runSignet, type CommandResult } from './helpers/gateway/cli.js';
import { refuseToBoot, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { generateJwk, part, publicHalf } from './helpers/issuers/keys.js';
import { startSigningApp } from './helpers/apps/signing-app.js';

const PASSPHRASE = 'correct horse battery';

type Stored = JWK & { signet?: { state: string; not_before?: number; not_after?: number } };

/** Everything that commands wrote without being asked for secrets, and all secrets they handled. */
const outputs: string[] = [];
const secrets = new Set<string>();
const folders: string[] = [];
let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-cli-'));
  folders.push(folder);
  file = join(folder, 'keys', 'signing.jwks.json');
});

/** Runs `signet keys …` in the folder of the test, with nothing of our own environment. */
async function keys(
  args: string[],
  env: Record<string, string> = {},
  input = '',
): Promise<CommandResult> {
  const result = await runSignet(['keys', ...args], { cwd: folder, env, input });
  if (!args.includes('--print')) outputs.push(result.stdout, result.stderr);
  if (existsSync(file)) remember(readFileSync(file, 'utf8'));
  return result;
}

const succeed = async (...given: Parameters<typeof keys>): Promise<string> =>
  outputOf(await keys(...given));
const refuse = async (...given: Parameters<typeof keys>): Promise<string> =>
  refusalOf(await keys(...given));

function remember(text: string): void {
  if (!text.startsWith('{')) return;
  for (const [, value = ''] of text.matchAll(/"(?:k|d|p|q|dp|dq|qi)":\s*"([\w-]{8,})"/g))
    secrets.add(value);
}

function write(jwks: unknown, mode = 0o600): void {
  const text = typeof jwks === 'string' ? jwks : JSON.stringify({ keys: jwks });
  file = join(folder, 'planted.json');
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
  remember(text);
}

const stored = (path = file): Stored[] =>
  (JSON.parse(readFileSync(path, 'utf8')) as { keys: Stored[] }).keys;
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const kidIn = (stdout: string): string => /^kid +(\S+)$/m.exec(stdout)?.[1] ?? '';
const post = (gateway: Gateway): Promise<Response> =>
  fetch(`${gateway.url}/token`, { method: 'POST' });
const token = async (gateway: Gateway): Promise<string> =>
  ((await (await post(gateway)).json()) as { access_token: string }).access_token;
const visit = (gateway: Gateway, jwt: string): Promise<Response> =>
  fetch(`${gateway.url}/private/custom`, { headers: { authorization: `Bearer ${jwt}` } });

/** Boots with a key of the file, and has it sign a token that is accepted. */
async function expectToSign(alg: JwsAlgorithm, kid: string, header: object): Promise<void> {
  const app = await startSigningApp(file, alg, kid);
  try {
    const answer = await fetch(app.url, { method: 'POST' });
    expect(answer.status).toBe(201);
    const { access_token: jwt } = (await answer.json()) as { access_token: string };
    expect(part(jwt, 0)).toMatchObject(header);
    const accepted = await fetch(app.url, { headers: { authorization: `Bearer ${jwt}` } });
    expect(accepted.status).toBe(200);
  } finally {
    await app.stop();
  }
}

async function until(condition: () => Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not become true in time');
    await sleep(50);
  }
}

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

describe('signet keys generate', () => {
  it.each(JWS_ALGORITHMS)('%s makes a key of a secure size that boots the gateway', async (alg) => {
    const output = await succeed(['generate', '--alg', alg]);
    const [jwk] = stored();
    if (jwk === undefined) throw new Error('no key');
    expect(jwk).toMatchObject({ alg, use: 'sig', kid: await calculateJwkThumbprint(jwk) });
    expect(output).toMatch(`kid   ${jwk.kid}\nalg   ${alg}\nfile  keys/signing.jwks.json\nnext  `);
    // The secret is as long as the hash; RSA has 3072 bits.
    const expected = { H: Number(alg.slice(2)) / 8, R: 384, P: 384 }[alg.charAt(0)] ?? 0;
    expect(Buffer.from(jwk.k ?? jwk.n ?? '', 'base64url')).toHaveLength(expected);
    expect([modeOf(file), modeOf(join(folder, 'keys'))]).toEqual(['600', '700']);
    expect(readdirSync(join(folder, 'keys'))).toEqual(['signing.jwks.json']);
    expect(await succeed(['check'])).toMatch(/^ok /);

    await expectToSign(alg, jwk.kid ?? '', { alg, kid: jwk.kid });
  });

  it('takes kid, size, state and place from its options', async () => {
    file = join(folder, 'deep', 'er', 'own.json');
    const args = ['--alg', 'RS256', '--kid', 'own', '--bits', '2048', '--state', 'active'];
    await succeed(['generate', ...args, '--file', 'deep/er/own.json']);
    const [jwk] = stored();
    expect(jwk).toMatchObject({ kid: 'own', signet: { state: 'active' } });
    expect(Buffer.from(jwk?.n ?? '', 'base64url')).toHaveLength(256);
  });

  it('writes where the gateway reads, from the environment or .env', async () => {
    file = join(folder, 'a.json');
    await succeed(['generate'], { SIGNER_JWK_LOCAL_PATH: 'a.json' });
    expect(stored()[0]).toMatchObject({ kty: 'oct', alg: 'HS256' });
    writeFileSync(join(folder, '.env'), 'SIGNER_JWK_LOCAL_PATH=b.json\nSIGNER_ALG=EdDSA\n');
    await succeed(['generate']);
    expect(stored(join(folder, 'b.json'))[0]).toMatchObject({ alg: 'EdDSA' });
  });

  it.each([
    ['a weak RSA size', ['--alg', 'RS256', '--bits', '1024'], /2048/],
    ['a size for a curve', ['--alg', 'ES256', '--bits', '2048'], /--bits is for RSA/],
    ['alg none', ['--alg', 'none'], /Allowed choices/],
    ['a kid with blanks', ['--kid', 'a b'], /without spaces/],
    ['an unknown state', ['--state', 'asleep'], /Allowed choices/],
    ['an unknown option', ['--secret=c2VjcmV0LXNlY3JldA'], /unknown option '--secret=…'/],
    ['to add to nothing', ['--add'], /cannot be read \(ENOENT\)/],
  ])('refuses %s', async (_what, args, reason) => {
    expect(await refuse(['generate', ...args])).toMatch(reason);
    expect(existsSync(file)).toBe(false);
  });

  it('prints the key instead of storing it only when asked to', async () => {
    const { stdout } = await keys(['generate', '--alg', 'ES256', '--print']);
    const jwk = JSON.parse(stdout) as JWK;
    expect(jwk.kid).toBe(await calculateJwkThumbprint(jwk));
    expect(jwk.d).toHaveLength(43);
    expect(existsSync(file)).toBe(false);
  });

  it('never overwrites, whatever is there', async () => {
    await succeed(['generate']);
    const before = readFileSync(file, 'utf8');
    expect(await refuse(['generate'])).toMatch(/exists already and is not overwritten; --add/);
    expect(readFileSync(file, 'utf8')).toBe(before);
    symlinkSync('/nowhere/at/all', join(folder, 'dangling'));
    expect(await refuse(['generate', '--file', 'dangling'])).toMatch(/exists already/);
    expect(readdirSync(join(folder, 'keys'))).toEqual(['signing.jwks.json']);
  });

  it('adds to a set what fits into it', async () => {
    await succeed(['generate', '--kid', 'a']);
    expect(await refuse(['generate', '--add', '--kid', 'a', '--alg', 'ES256'])).toMatch(
      /kid 'a' is in keys\/signing.jwks.json already/,
    );
    await succeed(['generate', '--add', '--kid', 'b', '--alg', 'ES256', '--state', 'active']);
    // A set with states: an unnamed newcomer must not compete with the active key.
    await succeed(['generate', '--add', '--kid', 'c', '--alg', 'ES256']);
    expect(await refuse(['generate', '--add', '--alg', 'ES256', '--state', 'active'])).toMatch(
      /kid 'b' is active already/,
    );
    expect(stored().map(({ kid, signet }) => [kid, signet?.state])).toEqual([
      ['a', undefined],
      ['b', 'active'],
      ['c', 'pending'],
    ]);
    expect(modeOf(file)).toBe('600');
  });

  it('takes over the lock of a command that was killed, and respects a fresh one', async () => {
    await succeed(['generate', '--kid', 'a']);
    const lock = `${file}.lock`;
    writeFileSync(lock, 'somebody');
    const added = keys(['generate', '--add', '--kid', 'b']);
    await sleep(200);
    expect(stored()).toHaveLength(1);
    utimesSync(lock, 0, 0);
    expect(await added).toMatchObject({ code: 0 });
    expect(stored()).toHaveLength(2);
    expect(existsSync(lock)).toBe(false);
  });

  it('keeps what it does not know, links, and a mode that is safe', async () => {
    const jwk = await generateJwk('ES256', 'a');
    write(
      JSON.stringify({ note: 'ours', keys: [{ ...jwk, extra: 12345678901234567890n.toString() }] }),
    );
    chmodSync(file, 0o640);
    symlinkSync('planted.json', join(folder, 'link.json'));
    await succeed(['generate', '--add', '--file', 'link.json']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      note: 'ours',
      keys: [{ kid: 'a', extra: '12345678901234567890' }, { alg: 'HS256' }],
    });
    expect(readdirSync(folder).sort()).toEqual(['link.json', 'planted.json']);
    expect(modeOf(file)).toBe('640');
    chmodSync(file, 0o644);
    await succeed(['generate', '--add', '--file', 'link.json']);
    expect(modeOf(file)).toBe('600');
  });
});

describe('signet keys list, thumbprint and public', () => {
  it('show what is known of the keys and nothing secret', async () => {
    const [es, rs, hs] = await Promise.all([
      generateJwk('ES256', 'es'),
      generateJwk('RS256', '-rs'),
      generateJwk('HS256', 'hs'),
    ]);
    const retired = await generateJwk('EdDSA', 'old');
    write([
      { ...es, signet: { state: 'active', not_before: 1_800_000_000 } },
      { ...rs, signet: { state: 'verifying', not_after: 1_900_000_000.5 } },
      hs,
      { ...retired, signet: { state: 'retired' } },
      { kty: 'oct', kid: 'enc', alg: 'A128KW', k: randomBytes(16).toString('base64url') },
    ]);
    const prints = await Promise.all(
      [es, rs, hs, retired].map((jwk) => calculateJwkThumbprint(jwk)),
    );
    const listed = await keys(['list', '--file', file]);
    expect(listed.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['KID', 'ALG', 'STATE', 'NOT BEFORE', 'NOT AFTER', 'THUMBPRINT'],
      ['es', 'ES256', 'active', '2027-01-15T08:00:00Z', '-', prints[0]],
      ['-rs', 'RS256', 'verifying', '-', '2030-03-17T17:46:40.500Z', prints[1]],
      ['hs', 'HS256', '-', '-', '-', prints[2]],
      ['old', 'EdDSA', 'retired', '-', '-', prints[3]],
      [''],
    ]);
    expect(listed.stderr).toMatch(/kid 'enc' is skipped/);
    expect(JSON.parse(await succeed(['list', '--file', file, '--json']))).toMatchObject([
      { kid: 'es', alg: 'ES256', state: 'active', not_before: '2027-01-15T08:00:00Z' },
      { kid: '-rs', thumbprint: prints[1] },
      { kid: 'hs', kty: 'oct', signs: true },
      { state: 'retired' },
    ]);
    expect(await succeed(['thumbprint', '-rs', '--file', file])).toBe(`${prints[1]}\n`);
    expect(await succeed(['thumbprint', '--file', file])).toContain(`hs   ${prints[2]}\n`);
    const published = await keys(['public', '--file', file]);
    expect(JSON.parse(published.stdout)).toEqual({ keys: [publicHalf(es), publicHalf(rs)] });
    expect(published.stderr).toMatch(/symmetric/);
    await succeed(['public', '--file', file, '--out', 'out/public.json']);
    expect(readFileSync(join(folder, 'out/public.json'), 'utf8')).toBe(published.stdout);
  });
});

describe('signet keys check', () => {
  const hs = (): JWK => ({
    kty: 'oct',
    kid: 'planted',
    alg: 'HS256',
    k: randomBytes(32).toString('base64url'),
  });
  const weakRsa = (): JWK => ({
    ...(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
      format: 'jwk',
    }) as JWK),
    kid: 'planted',
  });
  const ec = async (): Promise<JWK> => generateJwk('ES256', 'planted');
  const active = { signet: { state: 'active' } };

  it.each<[string, () => unknown, RegExp]>([
    [
      'a short secret',
      () => [{ ...hs(), k: randomBytes(8).toString('base64url') }],
      /'planted' has a secret of 8 bytes/,
    ],
    ['a weak RSA key', () => [weakRsa()], /'planted' is an RSA key of 1024 bits/],
    ['a kid twice', () => [hs(), hs()], /'planted' is there twice/],
    ['no kid', () => [{ ...hs(), kid: undefined }], /has no 'kid'/],
    ['another alg', () => [{ ...hs(), alg: 'RS256' }], /'planted' is oct/],
    [
      'a foreign private part',
      async () => [{ ...(await ec()), d: (await ec()).d }],
      /'planted'.*(not fit|not a valid key)/,
    ],
    ['a public key only', async () => [publicHalf(await ec())], /no key that signs/],
    ['retired keys only', () => [{ ...hs(), signet: { state: 'retired' } }], /no key that signs/],
    [
      'two active keys',
      () => [
        { ...hs(), ...active },
        { ...hs(), kid: 'b', ...active },
      ],
      /more than one active key for HS256: 'planted', 'b'/,
    ],
    [
      'an unknown state',
      () => [{ ...hs(), signet: { state: 'asleep' } }],
      /'planted': state 'asleep'/,
    ],
    [
      'an active key past its time',
      () => [{ ...hs(), signet: { state: 'active', not_after: 1 } }],
      /'planted' is active but/,
    ],
    [
      'a published secret',
      () => [
        {
          ...hs(),
          k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
        },
      ],
      /'planted' is an example key that is published/,
    ],
    ['half a file', () => JSON.stringify({ keys: [hs()] }).slice(0, 90), /not valid JSON/],
    ['an empty file', () => '', /not valid JSON/],
    ['no keys', () => [], /no key/],
  ])('finds %s', async (_what, plant, reason) => {
    write(await plant());
    expect(await refuse(['check', '--file', file])).toMatch(reason);
  });

  it('reports each problem of a file in a line of its own', async () => {
    write([{ ...hs(), k: 'c2hvcnQ' }, weakRsa(), { ...hs(), kid: 'good' }], 0o644);
    const { code, stdout, stderr } = await keys(['check', '--file', file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const reason of [/^signet: .* 5 bytes/, /^signet: .*1024 bits/, /^signet: .*mode 644/])
      expect(lines.filter((line) => reason.test(line))).toHaveLength(1);
  });

  it('finds files and folders that others can change', async () => {
    write([hs()], 0o620);
    expect(await refuse(['check', '--file', file])).toMatch(/can be read or changed by others/);
    chmodSync(file, 0o600);
    await succeed(['encrypt', '--file', file], { KEY_PASSPHRASE: PASSPHRASE });
    chmodSync(file, 0o666);
    expect(await refuse(['check', '--file', file], { KEY_PASSPHRASE: PASSPHRASE })).toMatch(
      /can be changed by others/,
    );
    chmodSync(file, 0o600);
    chmodSync(folder, 0o777);
    expect(await refuse(['check', '--file', file], { KEY_PASSPHRASE: PASSPHRASE })).toMatch(
      /can be changed by everybody/,
    );
  });

  it('compares with the environment of the gateway, where there is one', async () => {
    write([hs()]);
    expect(await succeed(['check', '--file', file])).toBe(`ok  ${file}: planted\n`);
    await succeed(['check', '--file', file], { SIGNER_KID: 'auto' });
    expect(await refuse(['check', '--file', file], { SIGNER_KID: 'other' })).toMatch(
      /kid 'other' not found/,
    );
    expect(
      await refuse(['check', '--file', file], { SIGNER_KID: 'planted', SIGNER_ALG: 'HS512' }),
    ).toMatch(/HS256 only/);
    expect(await refuse(['check', '--file', 'absent.json'])).toMatch(/cannot be read \(ENOENT\)/);
  });
});

describe('signet keys rotate', () => {
  const timing = ['--cache-seconds', '0', '--ttl-seconds', '2'];
  const env = { KEY_RELOAD_INTERVAL_MS: '200', SIGNER_KID: 'auto' };
  const states = (): Record<string, string | undefined> =>
    Object.fromEntries(stored().map(({ kid, signet }) => [kid, signet?.state]));

  it('replaces the key of a running gateway, without a request that fails', async () => {
    const old = kidIn(await succeed(['generate', '--alg', 'ES256']));
    const gateway = await hostGateway(
      { SIGNER_ALG: 'ES256', SIGNER_JWK_LOCAL_PATH: file, ...env },
      folder,
    );
    const failures: unknown[] = [];
    let requests = 0;
    const load = new AbortController();
    const loading = (async () => {
      for (; !load.signal.aborted; requests++) {
        const answer = await post(gateway);
        if (answer.status !== 200) failures.push(answer.status, await answer.text());
        const { access_token } = (await answer.json()) as { access_token: string };
        const { status } = await visit(gateway, access_token);
        if (status !== 200) failures.push(status);
        await sleep(20);
      }
    })();
    /** Waits until two more logins have begun and ended, so that each phase of the rotation sees some. */
    const serves = async (): Promise<void> => {
      const before = requests;
      await until(() => Promise.resolve(requests > before + 1));
    };
    const published = async (): Promise<unknown[]> => {
      const answer = await fetch(`${gateway.url}/.well-known/jwks.json`);
      return ((await answer.json()) as { keys: JWK[] }).keys.map(({ kid }) => kid);
    };
    /** As cron does: the same command again and again. */
    const rotateUntil = async (what: string): Promise<string> => {
      let output = '';
      await until(async () =>
        (output = await succeed(['rotate', ...timing], env)).startsWith(what),
      );
      return output;
    };
    try {
      const oldToken = await token(gateway);
      const prepared = await rotateUntil('prepared');
      const fresh = /^prepared +(\S+):/.exec(prepared)?.[1] ?? '';
      expect(prepared).toMatch(new RegExp(`^next +activate ${fresh}, from 20.*Z on$`, 'm'));
      expect(states()).toEqual({ [old]: 'active', [fresh]: 'pending' });
      expect(await refuse(['rotate', ...timing, '--now'], env)).toMatch(/too early: .*not know/);
      expect(await succeed(['rotate', ...timing], env)).toMatch(
        /^nothing to do yet\nnext +activate/,
      );
      // Published first, by the gateway itself, while the old key signs.
      await until(async () => (await published()).includes(fresh));
      expect(part(await token(gateway), 0).kid).toBe(old);
      await serves();

      await rotateUntil('activated');
      expect(states()).toEqual({ [old]: 'verifying', [fresh]: 'active' });
      await until(async () => part(await token(gateway), 0).kid === fresh);
      expect((await visit(gateway, oldToken)).status).toBe(200);
      expect(await published()).toEqual([old, fresh]);
      expect(await refuse(['rotate', ...timing, '--now'], env)).toMatch(
        /too early: .*valid tokens/,
      );
      expect((await visit(gateway, oldToken)).status).toBe(200);
      await serves();

      const [{ signet } = {}] = stored();
      await until(async () => Date.now() / 1000 > (signet?.not_after ?? Infinity));
      expect((await visit(gateway, oldToken)).status).toBe(401);
      expect(await rotateUntil('retired')).toMatch(
        /^next +prepare another key, with the next call/m,
      );
      expect(states()).toEqual({ [old]: 'retired', [fresh]: 'active' });
      await until(async () => !(await published()).includes(old));
      const refused = await visit(gateway, oldToken);
      expect(await refused.json()).toMatchObject({ code: 'key_not_found' });
      expect((await visit(gateway, await token(gateway))).status).toBe(200);
      await serves();

      const purging = await succeed(['rotate', ...timing, '--purge', '--every', '1'], env);
      expect(purging).toMatch(
        /^nothing to do yet\nremoved +\S+\nnext +prepare another key, from 20/,
      );
      expect(states()).toEqual({ [fresh]: 'active' });
    } finally {
      load.abort();
      await loading;
      await gateway.stop();
    }
    expect(failures).toEqual([]);
    expect(modeOf(file)).toBe('600');
    expect(gateway.output()).not.toMatch(/stay in use/);
    outputs.push(gateway.output());
  }, 40_000);

  it('gives states to a plain set, and leaves keys of other algorithms alone', async () => {
    const partner = publicHalf(await generateJwk('ES256', 'partner'));
    const receipts = await generateJwk('HS512', 'receipts');
    const jwks = [
      await generateJwk('ES256', 'a'),
      await generateJwk('ES256', 'b'),
      partner,
      receipts,
    ];
    write(jwks);
    const args = ['rotate', '--file', file, '--alg', 'ES256'];
    expect(await refuse(['rotate', '--file', file])).toMatch(/choose one with --alg/);
    expect(await refuse(args)).toMatch(/'a', 'b' can all sign; name the one that does with --kid/);
    const now = Math.floor(Date.now() / 1000);
    const output = await succeed([...args, '--kid', 'b'], {
      SIGNER_KID: 'b',
      SIGNER_REFRESH_TTL: '7000',
    });
    expect(output).toMatch(/^note +the gateway follows the active key only with SIGNER_KID=auto$/m);
    const [a, b, p, r, fresh] = stored();
    expect(a?.signet).toMatchObject({ state: 'verifying' });
    // 7000 s, the leeway, the reload interval and a second for rounding.
    expect((a?.signet?.not_after ?? 0) - now).toBeOneOf([7003, 7004, 7005]);
    expect([b?.signet, p?.signet]).toEqual([{ state: 'active' }, { state: 'verifying' }]);
    expect(r).toEqual(receipts);
    expect(fresh).toMatchObject({ kty: 'EC', alg: 'ES256', signet: { state: 'pending' } });
    expect((fresh?.signet?.not_before ?? 0) - now).toBeOneOf([302, 303, 304]);
  });

  it('goes on after a key of another algorithm was added, and says whose turn it is', async () => {
    // What the first start makes, and the key of the manual beside it.
    await succeed(['generate', '--kid', 'sim2']);
    await succeed(['generate', '--alg', 'ES256', '--kid', 'key-1', '--add']);
    const output = await succeed(['rotate']);
    expect(output).toMatch(/^prepared /);
    expect(output).toMatch(/^note +these are the keys of HS256.*keys of ES256, too: .*--alg$/m);
    expect(stored().map(({ alg, signet }) => [alg, signet?.state])).toEqual([
      ['HS256', 'active'],
      ['ES256', undefined],
      ['HS256', 'pending'],
    ]);
    const other = await succeed(['rotate'], { SIGNER_ALG: 'ES256', SIGNER_KID: 'auto' });
    expect(other).toMatch(/^prepared .*\nnext .*\n$/);
    expect(stored().map(({ alg, signet }) => [alg, signet?.state])).toEqual([
      ['HS256', 'active'],
      ['ES256', 'active'],
      ['HS256', 'pending'],
      ['ES256', 'pending'],
    ]);
  });

  it('takes the signing key from the environment, a single JWK, and keeps the size of RSA', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    write(JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'single' }));
    await succeed(['rotate', '--file', file], { SIGNER_ALG: 'PS256', SIGNER_KID: 'single' });
    const [single, fresh] = stored();
    expect(single?.signet).toEqual({ state: 'active' });
    expect(fresh?.alg).toBe('PS256');
    expect(Buffer.from(fresh?.n ?? '', 'base64url')).toHaveLength(256);
  });

  it('says of symmetric keys that verifiers need the file, and of other traps', async () => {
    await succeed(['generate']);
    const output = await succeed(['rotate'], {
      KEY_RELOAD_INTERVAL_MS: '0',
      VALIDATOR_JWK_LOCAL_PATH: 'other.json',
      SIGNER_KID: 'auto',
    });
    expect(output).toMatch(/^note +a symmetric key is in no JWKS/m);
    expect(output).toMatch(/^note +KEY_RELOAD_INTERVAL_MS=0: restart/m);
    expect(output).toMatch(/^note +tokens are verified with other.json/m);
    expect(output).not.toMatch(/SIGNER_KID=auto/);
  });

  it('does the unsafe only with --now --force', async () => {
    const old = kidIn(await succeed(['generate', '--alg', 'EdDSA']));
    await succeed(['rotate']);
    expect(await refuse(['rotate', '--force'])).toMatch(/--force needs --now/);
    const before = readFileSync(file, 'utf8');
    expect(await refuse(['rotate', '--now'])).toMatch(/too early/);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(await succeed(['rotate', '--now', '--force'])).toMatch(/^activated/);
    expect(await refuse(['rotate', '--now'])).toMatch(/too early/);
    expect(await succeed(['rotate', '--now', '--force', '--purge'])).toMatch(
      new RegExp(`^retired +${old}.*\nremoved +${old}\n`),
    );
    // An early start of the next rotation harms nobody.
    expect(await succeed(['rotate', '--every', '30'])).toMatch(/^nothing to do yet/);
    expect(await succeed(['rotate', '--every', '30', '--now'])).toMatch(/^prepared/);
  });

  it('gives a date to a pending key that has none, and refuses a set with two active keys', async () => {
    await succeed(['generate', '--kid', 'a', '--state', 'active']);
    await succeed(['generate', '--kid', 'b', '--add']);
    expect(await succeed(['rotate'])).toMatch(/^scheduled +b: .*\nnext +activate b/);
    expect(stored()).toHaveLength(2);
    write([
      { ...(await generateJwk('HS256', 'x')), signet: { state: 'active' } },
      { ...(await generateJwk('HS256', 'y')), signet: { state: 'active' } },
    ]);
    expect(await refuse(['rotate', '--file', file])).toMatch(/'x', 'y' are all active/);
  });
});

describe('signet keys retire', () => {
  it('refuses a stolen key at once, but not the one that signs', async () => {
    const stolen = kidIn(await succeed(['generate', '--alg', 'ES256']));
    expect(await refuse(['retire', stolen])).toMatch(/only one that signs.*rotate --now --force/);
    const gateway = await hostGateway(
      { SIGNER_ALG: 'ES256', SIGNER_KID: 'auto', SIGNER_JWK_LOCAL_PATH: file },
      folder,
    );
    try {
      const jwt = await token(gateway);
      await succeed(['rotate']);
      expect(await succeed(['rotate', '--now', '--force'])).toMatch(/^activated/);
      expect(await succeed(['retire', stolen])).toMatch(/^retired/);
      await until(async () => (await visit(gateway, jwt)).status === 401);
      expect((await visit(gateway, await token(gateway))).status).toBe(200);
    } finally {
      await gateway.stop();
    }
    expect(await succeed(['retire', stolen])).toMatch(/retired already/);
    expect(await refuse(['retire', 'nobody'])).toMatch(/kid 'nobody' not found/);
  });

  it('does so with --force, and says what it means', async () => {
    const kid = kidIn(await succeed(['generate']));
    await succeed(['generate', '--add', '--kid', 'other']);
    expect(await refuse(['retire', kid], { SIGNER_KID: kid })).toMatch(/that SIGNER_KID names/);
    await succeed(['retire', kid]);
    expect(await succeed(['retire', 'other', '--force'])).toMatch(/^note +no key signs now/m);
    expect(await refuse(['check'])).toMatch(/no key that signs/);
  });
});

describe('signet keys encrypt and decrypt', () => {
  const env = { KEY_PASSPHRASE: PASSPHRASE };

  it('make a file that boots the gateway and that the other commands keep encrypted', async () => {
    const kid = kidIn(await succeed(['generate', '--alg', 'ES256']));
    const plain = readFileSync(file, 'utf8');
    await succeed(['encrypt'], env);
    const sealed = readFileSync(file, 'utf8');
    expect(sealed.trim().split('.')).toHaveLength(5);
    expect(part(sealed, 0)).toMatchObject({
      alg: 'PBES2-HS512+A256KW',
      enc: 'A256GCM',
      cty: 'jwk-set+json',
    });
    expect(modeOf(file)).toBe('600');
    expect(await refuse(['encrypt'], env)).toMatch(/is encrypted already/);

    writeFileSync(join(folder, 'pass'), `${PASSPHRASE}\n`, { mode: 0o600 });
    expect(await succeed(['list'], { KEY_PASSPHRASE_FILE: 'pass' })).toContain(kid);
    await succeed(['rotate'], env);
    expect(readFileSync(file, 'utf8')).toMatch(/^eyJ/);
    expect(await succeed(['list'], env)).toMatch(/pending/);

    const settings = { SIGNER_ALG: 'ES256', SIGNER_KID: kid, SIGNER_JWK_LOCAL_PATH: file };
    const gateway = await hostGateway({ ...settings, ...env }, folder);
    expect((await post(gateway)).status).toBe(200);
    await gateway.stop();
    outputs.push(gateway.output());
    const wrong = await refuseToBoot({ ...settings, KEY_PASSPHRASE: 'wrong horse' }, folder);
    expect(wrong.code).toBe(1);
    expect(wrong.output).toMatch(/^signet: .*passphrase is wrong.*\n$/m);

    await succeed(['decrypt', '--out', 'plain.json'], env);
    const opened = stored(join(folder, 'plain.json'));
    expect(opened[0]).toMatchObject((JSON.parse(plain) as { keys: JWK[] }).keys[0] ?? {});
    expect(modeOf(join(folder, 'plain.json'))).toBe('600');
    for (const jwk of opened) remember(JSON.stringify(jwk));
    expect((await keys(['decrypt', '--print'], env)).stdout).toBe(
      readFileSync(join(folder, 'plain.json'), 'utf8'),
    );
    expect(await refuse(['decrypt', '--out', 'plain.json'], env)).toMatch(/exists already/);
    expect(await refuse(['decrypt'], env)).toMatch(/--out <path> or --print/);
  });

  it('refuse a wrong, missing, short or ambiguous passphrase', async () => {
    await succeed(['generate']);
    const plain = readFileSync(file, 'utf8');
    expect(await refuse(['encrypt'])).toMatch(/set KEY_PASSPHRASE or KEY_PASSPHRASE_FILE/);
    expect(await refuse(['encrypt'], { KEY_PASSPHRASE: 'short' })).toMatch(/at least 8/);
    expect(await refuse(['encrypt'], { ...env, KEY_PASSPHRASE_FILE: 'x' })).toMatch(/choose one/);
    expect(await refuse(['encrypt'], { KEY_PASSPHRASE_FILE: 'x' })).toMatch(/cannot be read/);
    expect(await refuse(['decrypt', '--print'], env)).toMatch(/is not encrypted/);
    expect(readFileSync(file, 'utf8')).toBe(plain);
    await succeed(['encrypt'], env);
    const sealed = readFileSync(file, 'utf8');
    for (const command of [['list'], ['check'], ['rotate'], ['decrypt', '--out', 'o.json']]) {
      expect(await refuse(command, { KEY_PASSPHRASE: 'wrong horse' })).toMatch(
        /passphrase is wrong/,
      );
      expect(await refuse(command)).toMatch(/is encrypted; set KEY_PASSPHRASE/);
    }
    expect(readFileSync(file, 'utf8')).toBe(sealed);
    expect(existsSync(join(folder, 'o.json'))).toBe(false);
  });
});

describe('signet keys import', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const ed = generateKeyPairSync('ed25519');
  const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' | 'spki'): string =>
    key.export({ format: 'pem', type } as { format: 'pem'; type: 'pkcs8' }) as string;
  // What `openssl ecparam -genkey` writes in front.
  const parameters =
    '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

  it.each<[string, string, string | undefined, JwsAlgorithm, KeyObject]>([
    ['RSA in PKCS#8', pem(rsa.privateKey, 'pkcs8'), 'RS256', 'RS256', rsa.privateKey],
    ['RSA in PKCS#1', pem(rsa.privateKey, 'pkcs1'), 'PS512', 'PS512', rsa.privateKey],
    [
      'P-256 in SEC1',
      parameters + pem(p256.privateKey, 'sec1'),
      undefined,
      'ES256',
      p256.privateKey,
    ],
    ['P-521 in PKCS#8', pem(p521.privateKey, 'pkcs8'), undefined, 'ES512', p521.privateKey],
    ['Ed25519 in PKCS#8', pem(ed.privateKey, 'pkcs8'), undefined, 'EdDSA', ed.privateKey],
  ])('boots the gateway with %s', async (_what, text, given, alg, key) => {
    remember(JSON.stringify(key.export({ format: 'jwk' })));
    writeFileSync(join(folder, 'key.pem'), text, { mode: 0o600 });
    const args = given === undefined ? [] : ['--alg', given];
    const output = await succeed(['import', '--pem', 'key.pem', ...args]);
    const [jwk] = stored();
    expect(jwk).toMatchObject({ ...key.export({ format: 'jwk' }), alg, use: 'sig' });
    expect(jwk?.kid).toBe(await calculateJwkThumbprint(jwk ?? { kty: 'oct' }));
    expect([kidIn(output), modeOf(file)]).toEqual([jwk?.kid, '600']);
    await expectToSign(alg, 'auto', { alg, kid: jwk?.kid });
  });

  it('adds public keys that only verify', async () => {
    await succeed(['generate', '--alg', 'ES256', '--state', 'active']);
    const spki = pem(p256.publicKey, 'spki');
    await succeed(['import', '--add', '--kid', 'partner'], {}, spki);
    const [, partner] = stored();
    expect(partner).toEqual({
      ...createPublicKey(spki).export({ format: 'jwk' }),
      kid: 'partner',
      alg: 'ES256',
      use: 'sig',
      signet: { state: 'verifying' },
    });
    await succeed(['check']);
  });

  it('takes secrets from a file or standard input, however they are written', async () => {
    const secret = Buffer.from('fbffbe'.repeat(10) + '0102', 'hex');
    const k = secret.toString('base64url');
    secrets.add(k).add(secret.toString('base64')).add(secret.toString('hex'));
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      file = join(folder, `${encoding}.json`);
      writeFileSync(join(folder, 'secret'), `${secret.toString(encoding)}\n`, { mode: 0o600 });
      const output = await succeed(['import', '--secret-file', 'secret', '--file', file]);
      expect(output).toMatch(
        new RegExp(`^from  31 bytes in ${encoding}$|^from  32 bytes in ${encoding}$`, 'm'),
      );
      expect(stored()[0]).toMatchObject({ kty: 'oct', alg: 'HS256', k });
    }
    const typed = 'a passphrase of at least 32 characters';
    secrets.add(typed).add(Buffer.from(typed).toString('base64url'));
    file = join(folder, 'text.json');
    await succeed(['import', '--file', file, '--encoding', 'text', '--kid', 't'], {}, `${typed}\n`);
    expect(Buffer.from(stored()[0]?.k ?? '', 'base64url').toString()).toBe(typed);
    await expectToSign('HS256', 't', { kid: 't' });
  });

  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const x25519 = generateKeyPairSync('x25519').privateKey;
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
  const dsa = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
  const sealed = rsa.privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: 'p',
  }) as string;
  it.each<[string, string[], string, RegExp]>([
    [
      'a weak RSA key',
      ['--alg', 'RS256'],
      pem(weak, 'pkcs8'),
      /an RSA key of 1024 bits; at least 2048/,
    ],
    [
      'RSA without alg',
      [],
      pem(rsa.privateKey, 'pkcs8'),
      /fits RS256, .*PS512; choose one with --alg/,
    ],
    [
      'a long secret without alg',
      [],
      randomBytes(64).toString('base64'),
      /HS256, HS384, HS512; choose/,
    ],
    [
      'a short secret',
      [],
      randomBytes(31).toString('base64'),
      /a secret of 31 bytes; HMAC needs at least 32/,
    ],
    [
      'a secret too short for alg',
      ['--alg', 'HS512'],
      randomBytes(32).toString('hex'),
      /HS512 needs a secret of at least 64/,
    ],
    ['another alg', ['--alg', 'ES384'], pem(p256.privateKey, 'pkcs8'), /needs curve P-384/],
    ['a key for agreement', [], pem(x25519, 'pkcs8'), /X25519/],
    ['secp256k1', [], pem(koblitz, 'pkcs8'), /secp256k1/],
    ['DSA', [], pem(dsa, 'pkcs8'), /type dsa/],
    ['an encrypted PEM', ['--alg', 'RS256'], sealed, /the PEM is encrypted/],
    [
      'half a PEM',
      ['--alg', 'RS256'],
      pem(rsa.privateKey, 'pkcs8').slice(0, 900),
      /cannot be read/,
    ],
    [
      'a public key as a secret',
      ['--encoding', 'text'],
      pem(rsa.publicKey, 'spki'),
      /--encoding is for secrets/,
    ],
    ['plain words', [], 'correct horse battery staple, and some more', /--encoding text/],
    ['base64 with stray bits', [], `${'A'.repeat(42)}B`, /not hex or base64url or base64/],
    ['nothing', [], '', /the secret is empty/],
    ['another encoding', ['--encoding', 'rot13'], 'AAAA', /--encoding is one of/],
  ])('refuses %s', async (_what, args, input, reason) => {
    expect(await refuse(['import', ...args], {}, input)).toMatch(reason);
    expect(existsSync(file)).toBe(false);
  });

  it('takes no secret as an argument, and no PEM as a secret', async () => {
    // One that begins with a hyphen would be an option.
    const secret = `s${randomBytes(32).toString('base64url')}`;
    secrets.add(secret);
    expect(await refuse(['import', secret])).toMatch(/too many arguments/);
    expect(await refuse(['import', `--secret=${secret}`])).toMatch(/unknown option '--secret=…'/);
    writeFileSync(join(folder, 'pub.pem'), ` \n${pem(rsa.publicKey, 'spki')}`);
    expect(await refuse(['import', '--secret-file', 'pub.pem'])).toMatch(/is a PEM; use --pem/);
    writeFileSync(join(folder, 'secret'), secret);
    expect(await refuse(['import', '--pem', 'secret'])).toMatch(/holds no PEM/);
    expect(await refuse(['import', '--pem', 'absent'])).toMatch(
      /absent: cannot be read \(ENOENT\)/,
    );
    await succeed(['import', '--secret-file', 'secret']);
    expect(await refuse(['import', '--secret-file', 'secret'])).toMatch(/exists already/);
    expect(await refuse(['import', '--secret-file', 'secret', '--add'])).toMatch(/already/);
  });
});

describe('all that was written', () => {
  it('holds no private member, no PEM and no stack', () => {
    const everything = outputs.join('\n');
    expect(outputs.length).toBeGreaterThan(200);
    expect(secrets.size).toBeGreaterThan(60);
    expect([...secrets].filter((secret) => everything.includes(secret))).toEqual([]);
    expect(everything).not.toMatch(/"(?:k|d|p|q|dp|dq|qi)"|-----BEGIN|^ +at /m);
    expect(everything).not.toContain(PASSPHRASE);
  });
});
