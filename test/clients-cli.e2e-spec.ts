import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { clientSecretHash } from '../src/core/clients/index.js';
import { outputOf, refusalOf, runSignet, type CommandResult } from './helpers/gateway/cli.js';
import { generateJwk, publicHalf } from './helpers/issuers/keys.js';
import { tempFolder } from './helpers/run/resources.js';

let folder = '';
let file = '';
beforeEach(() => {
  folder = tempFolder('clients-cli');
  file = join(folder, 'clients.json');
});

const clients = (...args: string[]): Promise<CommandResult> =>
  runSignet(['clients', ...args], { cwd: folder });
const succeed = async (...args: string[]): Promise<string> => {
  const result = await clients(...args);
  expect(result.stderr).toBe('');
  return outputOf(result);
};
const refuse = async (...args: string[]): Promise<string> => refusalOf(await clients(...args));
const ids = (): string[] => stored().map(({ client_id: id }) => String(id));
const stored = (): Record<string, unknown>[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { clients: Record<string, unknown>[] }).clients;
const secretIn = (output: string): string => /^client_secret +(\S+)$/m.exec(output)?.[1] ?? '';

describe('signet clients add', () => {
  it('makes a secret of 256 bits, shows it, and keeps its hash in a file of mode 0600', async () => {
    const output = await succeed('add', 'billing');
    const secret = secretIn(output);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(stored()).toEqual([
      {
        client_id: 'billing',
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret_sha256: clientSecretHash(secret),
        grant_types: ['client_credentials'],
        claims: {},
      },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(secret);
    expect(secretIn(await succeed('add', 'other'))).not.toBe(secret);
    expect(ids()).toEqual(['billing', 'other']);
    expect(readdirSync(folder)).toEqual(['clients.json']);
  });

  it('takes what the registration can say', async () => {
    const claims = '{"roles":["a"],"n":9007199254740993}';
    await succeed(
      'add',
      'a',
      '--method=client_secret_post',
      '--scope=read write',
      '--audience=https://a',
      '--audience=https://b',
      `--claims=${claims}`,
      '--grant-type=client_credentials',
      '--grant-type=refresh_token',
    );
    expect(stored()[0]).toMatchObject({
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'read write',
      audience: ['https://a', 'https://b'],
      grant_types: ['client_credentials', 'refresh_token'],
    });
    expect(readFileSync(file, 'utf8')).toContain('9007199254740993');
    await succeed('add', 'b', '--audience', 'https://a', '--no-claims');
    expect(stored()[1]).toMatchObject({ audience: 'https://a' });
    expect(stored()[1]).not.toHaveProperty('claims');
    // What it does not change stays, digit by digit.
    expect(readFileSync(file, 'utf8')).toContain('9007199254740993');
  });

  it('registers clients without a secret, and shows none', async () => {
    const key = publicHalf(await generateJwk('ES256', 'c1'));
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [key] }));
    const outputs = [
      await succeed('add', 'spa', '--method', 'none'),
      await succeed('add', 'keyed', '--method', 'private_key_jwt', '--jwks', 'jwks.json'),
      await succeed('add', 'url', '--method', 'private_key_jwt', '--jwks-uri', 'https://a/jwks'),
    ];
    expect(outputs.map(secretIn)).toEqual(['', '', '']);
    expect(stored()).toMatchObject([
      { client_id: 'spa', grant_types: ['password', 'refresh_token'] },
      { client_id: 'keyed', jwks: { keys: [key] } },
      { client_id: 'url', jwks_uri: 'https://a/jwks' },
    ]);
  });

  it.each<[string[], string]>([
    [['add', 'a b'], "'client_id' is not a string"],
    [['add', 'a', '--scope', ''], "'scope' is not a string of scopes"],
    [['add', 'a', '--method', 'private_key_jwt'], "needs one of 'jwks' and 'jwks_uri'"],
    [['add', 'a', '--method', 'secret'], 'argument is invalid'],
    [['add', 'a', '--claims', '[]'], 'It must be a JSON object.'],
    [['add', 'a', '--claims', '{"sub":"root"}'], "'claims' holds sub"],
    [['add', 'a', '--method', 'none', '--grant-type', 'client_credentials'], 'with credentials'],
    [['add', 'a', '--jwks', 'missing.json'], 'missing.json: cannot be read (ENOENT)'],
    [['add'], 'missing required argument'],
  ])('refuses %j and writes nothing', async (args, message) => {
    expect(await refuse(...args)).toContain(message);
    expect(existsSync(file)).toBe(false);
  });

  it('refuses an id that is taken, and a file that the gateway would refuse', async () => {
    await succeed('add', 'a');
    const before = readFileSync(file, 'utf8');
    expect(await refuse('add', 'a')).toContain("client 'a' is in clients.json already");
    expect(readFileSync(file, 'utf8')).toBe(before);
    writeFileSync(file, '{"clients":[{"client_id":"a"}]}');
    expect(await refuse('add', 'b')).toContain("client 'a': 'grant_types' is missing");
  });

  it('goes by CLIENTS_FILE', async () => {
    const result = await runSignet(['clients', 'add', 'a'], {
      cwd: folder,
      env: { CLIENTS_FILE: 'conf/oauth.json' },
    });
    expect(result.code).toBe(0);
    expect(existsSync(join(folder, 'conf/oauth.json'))).toBe(true);
  });
});

describe('signet clients list, rotate-secret and remove', () => {
  it('show all but secrets', async () => {
    const secret = secretIn(
      await succeed('add', 'billing', '--scope', 'read', '--audience', 'https://a'),
    );
    await succeed('add', 'spa', '--method', 'none');
    const table = await succeed('list');
    expect(table.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['CLIENT', 'METHOD', 'GRANT TYPES', 'SCOPE', 'AUDIENCE'],
      ['billing', 'client_secret_basic', 'client_credentials', 'read', 'https://a'],
      ['spa', 'none', 'password refresh_token', '-', '-'],
      [''],
    ]);
    const json = await succeed('list', '--json');
    expect(JSON.parse(json)).toMatchObject([
      { client_id: 'billing', scope: 'read' },
      { client_id: 'spa' },
    ]);
    expect(table + json).not.toContain(secret);
    expect(table + json).not.toContain(clientSecretHash(secret));
  });

  it('give a new secret, and keep all else', async () => {
    const first = secretIn(await succeed('add', 'a', '--scope', 'read'));
    await succeed('add', 'b');
    const [before, other] = stored();
    const second = secretIn(await succeed('rotate-secret', 'a'));
    expect(second).not.toBe(first);
    expect(stored()).toEqual([
      { ...before, client_secret_sha256: clientSecretHash(second) },
      other,
    ]);
    expect(await refuse('rotate-secret', 'c')).toContain("there is no client 'c' in clients.json");
    await succeed('add', 'spa', '--method', 'none');
    expect(await refuse('rotate-secret', 'spa')).toContain('without a secret');
  });

  it('remove one, and leave no file that others can read', async () => {
    await succeed('add', 'a');
    await succeed('add', 'b');
    chmodSync(file, 0o644);
    await succeed('remove', 'a');
    expect(ids()).toEqual(['b']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await refuse('remove', 'a')).toContain("there is no client 'a'");
    expect(await refuse('list', '--file', 'missing.json')).toContain(
      'missing.json: cannot be read',
    );
  });

  it('several at the same time lose nothing', async () => {
    await succeed('add', 'a');
    await Promise.all(['b', 'c', 'd', 'e'].map((id) => succeed('add', id)));
    expect(ids().sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});
