import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, importJWK, SignJWT, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { encryptKeys, thumbprint } from '../src/core/keys/index.js';
import { KeyError, KeyFile, type KeyProvider } from '../src/jwks/index.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { ISSUER } from './helpers/issuers/issuer.js';
import { generateJwk, part, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { tempFolder } from './helpers/run/resources.js';

const PASSPHRASE = 'correct horse battery staple';
const folder = (): string => tempFolder('files');
let gateway: Gateway;

const signedKid = async ({ url }: Gateway): Promise<unknown> => {
  const answer = await fetch(`${url}/token`, { method: 'POST' });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return part(token, 0).kid;
};

describe('an encrypted key file', () => {
  const write = async (jwk: JWK): Promise<string> => {
    const path = join(folder(), 'keys.jwe');
    // Readable by everybody: that is what encryption is for.
    writeFileSync(path, await encryptKeys(JSON.stringify({ keys: [jwk] }), PASSPHRASE), {
      mode: 0o644,
    });
    return path;
  };
  const env = (path: string, more: Record<string, string>): Record<string, string> => ({
    SIGNER_JWK_LOCAL_PATH: path,
    SIGNER_KID: 'k1',
    ...more,
  });

  it('is a JWE of the promised kind', async () => {
    const path = await write(await generateJwk('HS256', 'k1'));
    expect(part(readFileSync(path, 'utf8'), 0)).toMatchObject({
      alg: 'PBES2-HS512+A256KW',
      enc: 'A256GCM',
      cty: 'jwk-set+json',
      p2c: 210_000,
    });
  });

  it('opens with KEY_PASSPHRASE, and is reloaded when it changes', async () => {
    const path = await write(await generateJwk('HS256', 'k1'));
    gateway = await hostGateway(env(path, { SIGNER_KID: 'auto', KEY_PASSPHRASE: PASSPHRASE }));
    expect(await signedKid(gateway)).toBe('k1');
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    renameSync(await write(await generateJwk('HS256', 'k2')), path);
    await expect.poll(() => signedKid(gateway), { timeout: 5000 }).toBe('k2');
  });

  it('opens with KEY_PASSPHRASE_FILE, whose byte order mark and last line break do not count', async () => {
    const path = await write(await generateJwk('HS256', 'k1'));
    const file = join(folder(), 'passphrase');
    writeFileSync(file, `\uFEFF${PASSPHRASE}\n`);
    gateway = await hostGateway(env(path, { KEY_PASSPHRASE_FILE: file }));
    expect(await signedKid(gateway)).toBe('k1');
  });

  it('stops the boot in one line without or with a wrong passphrase', async () => {
    const jwk = await generateJwk('HS256', 'k1');
    const path = await write(jwk);
    for (const [more, reason] of [
      [{}, /is encrypted; set KEY_PASSPHRASE/],
      [{ KEY_PASSPHRASE: 'wrong horse battery' }, /cannot be decrypted/],
      [{ KEY_PASSPHRASE_FILE: join(folder(), 'absent') }, /KEY_PASSPHRASE_FILE cannot be read/],
    ] as const) {
      const { lines, output } = await refuseInHost(env(path, more));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(reason);
      expect(output).not.toMatch(/horse|eyJ|\n\s+at /);
    }
  });
});

describe('how a token names its key', () => {
  const sha = (hash: string): string => createHash(hash).update('certificate').digest('base64url');
  const [X5T, X5T_S256] = [sha('sha1'), sha('sha256')];

  it.each([
    ['x5t', { x5t: X5T }, { kid: 'k1' }],
    ['x5t#S256', { 'x5t#S256': X5T_S256 }, { kid: 'k1' }],
    ['x5t#S256', { 'x5t#S256': X5T_S256, kid: 'whatever' }, { 'x5t#S256': X5T }],
    ['kid_x5t', { kid: 'k1', 'x5t#S256': X5T_S256 }, { 'x5t#S256': X5T_S256 }],
    ['kid_x5t', { kid: 'k1', x5t: X5T }, { kid: 'k1' }],
    ['kid_x5t', { kid: 'k1', x5t: X5T, 'x5t#S256': X5T_S256 }, { kid: 'k2', x5t: X5T }],
    ['kid', { kid: 'k1', x5t: 'ignored' }, { x5t: X5T }],
  ])('%s: %j is found, %j is not', async (strategy, found, lost) => {
    const jwk = await generateJwk('ES256', 'k1');
    gateway = await hostGateway({
      VALIDATOR_ALG: 'ES256',
      VALIDATOR_KEY_IDENTIFY_STRATEGY: strategy,
      VALIDATOR_JWK_LOCAL_PATH: writeKeys([
        { ...publicHalf(jwk), x5t: X5T, 'x5t#S256': X5T_S256 },
        publicHalf(await generateJwk('ES256', 'k2')),
      ]),
    });
    const call = async (names: object): Promise<number> => {
      const token = await new SignJWT({ roles: ['role_a'] })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', ...names })
        .setIssuer('https://krakend.io')
        .setAudience('http://api.example.com')
        .setExpirationTime('1h')
        .sign(await importJWK(jwk, 'ES256'));
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${gateway.url}/private/custom`, { headers })).status;
    };
    expect(await call(found)).toBe(200);
    expect(await call(lost)).toBe(401);
  });

  it('SIGNER_KID may be the thumbprint of a key', async () => {
    const [one, two] = [await generateJwk('EdDSA', 'one'), await generateJwk('EdDSA', 'two')];
    gateway = await hostGateway({
      SIGNER_ALG: 'EdDSA',
      SIGNER_KID: await calculateJwkThumbprint(two),
      SIGNER_JWK_LOCAL_PATH: writeKeys([one, two]),
    });
    expect(await signedKid(gateway)).toBe('two');
  });

  it('computes thumbprints as jose does', async () => {
    for (const alg of ['HS256', 'RS256', 'ES384', 'EdDSA']) {
      const jwk = await generateJwk(alg, 'k');
      expect(thumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk));
    }
  });
});

describe('the self-test at boot', () => {
  const warnings = (started: Gateway): unknown[] =>
    started.log().flatMap(({ level, msg }) => (level === 40 ? [msg] : []));

  it('says in one line which side uses which key when the two do not agree', async () => {
    const signing = writeKeys([await generateJwk('HS256', 'k1')]);
    const verification = writeKeys([await generateJwk('HS256', 'k1')]);
    gateway = await hostGateway({
      SIGNER_KID: 'k1',
      SIGNER_JWK_LOCAL_PATH: signing,
      VALIDATOR_JWK_LOCAL_PATH: verification,
    });
    expect(warnings(gateway)).toEqual([
      'Tokens that are signed here would be refused here (signature_invalid: the signature does not ' +
        `fit kid 'k1'). The signer uses HS256 with kid 'k1' of ${signing}, the validator accepts ` +
        `HS256 with the keys of ${verification}.`,
    ]);
  });

  it('finds an issuer and a type that the validator does not take', async () => {
    for (const [name, value] of [
      ['SIGNER_ISSUER', 'https://other'],
      ['SIGNER_TYP', 'own+jwt'],
    ] as const) {
      // Nobody looks for the keys of the issuer that the validator takes.
      gateway = await hostGateway({
        [name]: value,
        VALIDATOR_ISSUER: ISSUER,
        VALIDATOR_DISCOVERY: 'false',
      });
      expect(warnings(gateway)).toHaveLength(1);
    }
  });

  it('is content with what belongs together', async () => {
    const jwk = await generateJwk('PS256', 'k1');
    gateway = await hostGateway({
      SIGNER_ALG: 'PS256',
      SIGNER_KID: 'k1',
      SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
      VALIDATOR_JWK_LOCAL_PATH: writeKeys([publicHalf(jwk)]),
      VALIDATOR_REQUIRED_CLAIMS: 'tenant',
      VALIDATOR_AUDIENCE: 'a,b',
      VALIDATOR_AUDIENCE_MATCHER: 'all',
    });
    expect(warnings(gateway)).toEqual([]);
  });
});

describe.each<[string, () => Promise<KeyProvider>]>([
  ['a file', async () => fileWith(JSON.stringify({ keys: [await generateJwk('HS256', 'k1')] }))],
  [
    'an encrypted file',
    async () =>
      fileWith(
        await encryptKeys(JSON.stringify({ keys: [await generateJwk('HS256', 'k1')] }), PASSPHRASE),
      ),
  ],
])('the contract of a KeyProvider: %s', (_name, create) => {
  it('reads a JWK Set as JSON', async () => {
    const { text } = await (await create()).read();
    expect((JSON.parse(text) as { keys: unknown[] }).keys).toHaveLength(1);
  });

  it('tells of changes until it is told to stop', async () => {
    const provider = await create();
    let changes = 0;
    const stop = provider.watch(() => changes++);
    // Whatever is there when the watch begins is no change.
    await new Promise((resolve) => setTimeout(resolve, 100));
    writeFileSync(provider.source, '{"keys":[]}');
    await expect.poll(() => changes, { timeout: 3000 }).toBe(1);
    stop();
    writeFileSync(provider.source, '{"keys":[1]}');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(changes).toBe(1);
  });

  it('fails in one line that names its source and nothing of its contents', async () => {
    const provider = await create();
    writeFileSync(
      provider.source,
      'eyJ.secret.secret.secret.secret'.replace('eyJ', 'eyJhbGciOiJ4In0'),
    );
    await expect(provider.read()).rejects.toSatisfy(
      (error: unknown) =>
        error instanceof KeyError &&
        error.message.startsWith(provider.source) &&
        !/secret|\n/.test(error.message),
    );
  });
});

function fileWith(text: string): KeyFile {
  const path = join(folder(), 'keys');
  writeFileSync(path, text, { mode: 0o600 });
  return new KeyFile(path, { passphrase: PASSPHRASE, reloadIntervalMs: 50 });
}
