import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestIssuer } from '../src/testing/index.js';
import { CLI, runSignet, type CommandResult } from './helpers/gateway/cli.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call } from './helpers/network/http.js';
import { part, writeKeys } from './helpers/issuers/keys.js';

const OPTIONS = {
  alg: 'HS256',
  kid: 'sim2',
  issuer: 'https://krakend.io',
  audience: 'http://api.example.com',
} as const;
const issuer = createTestIssuer(OPTIONS);
const sameKid = createTestIssuer(OPTIONS);
const SIGNER_JWK_LOCAL_PATH = writeKeys([...issuer.jwks.keys]);

/** `signet explain`, in a directory without configuration. */
const explainHere = (args: readonly string[], input = '', env = {}): Promise<CommandResult> =>
  runSignet(['explain', ...args], {
    cwd: resolve(SIGNER_JWK_LOCAL_PATH, '..'),
    env: { SIGNER_JWK_LOCAL_PATH, SIGNER_ISSUER: OPTIONS.issuer, ...env },
    input,
  });

describe('signet explain', () => {
  it('accepts what the gateway accepts, also from standard input', async () => {
    const token = await issuer.sign({ roles: ['role_a'] });
    const direct = await explainHere([token]);
    expect([direct.code, direct.stderr]).toEqual([0, '']);
    expect(direct.stdout).toMatch(/^ok {7}format\n[^]*The token is accepted\.\n$/);
    expect(await explainHere(['-'], `${token}\n`)).toEqual(direct);
  });

  it('names what failed and the fix, with exit code 1, and shows neither token nor key', async () => {
    const token = await sameKid.sign({ exp: Math.floor(Date.now() / 1000) - 180 });
    const { code, stdout } = await explainHere(['-', '--role', 'clerk'], token);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^REFUSED {2}signature .*\n +fix: .*another key that has the same kid/m);
    expect(stdout).toMatch(/^REFUSED {2}exp .*expired 18\d s ago.*\n +fix: .*compare the clocks/m);
    expect(stdout).toMatch(/^REFUSED {2}roles .*clerk/m);
    // What can be changed is named as whoever runs the gateway knows it.
    expect(stdout).toContain('VALIDATOR_LEEWAY forgives 1 s');
    expect(stdout).toContain('VALIDATOR_ROLES_KEY');
    expect(stdout).not.toContain('the option ');
    expect(stdout).toMatch(/The token is refused: signature_invalid\n$/);
    for (const secret of [...token.split('.'), String(issuer.jwks.keys[0]?.k)])
      expect(stdout).not.toContain(secret);
  });

  it('gives JSON, and cannot be steered by the token', async () => {
    const token = await issuer.sign(
      {},
      { kid: '\u001b[2Jx', typ: '\u001b[31m\nThe token is accepted.' },
    );
    const { stdout } = await explainHere(['-'], token);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toMatch(/^The token is accepted/m);
    const json = await explainHere(['-', '--json'], token);
    expect(JSON.parse(json.stdout)).toMatchObject({ accepted: false, code: 'key_not_found' });
  });

  it('says why it cannot answer', async () => {
    const env = { SIGNER_JWK_LOCAL_PATH: 'nowhere.json', VALIDATOR_LEEWAY: 'x' };
    const wrong = await explainHere(['a.b.c'], '', env);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      'signet: VALIDATOR_LEEWAY must be a whole number from 0 to 3600\n',
    ]);
    const missing = await explainHere(['a.b.c'], '', { ...env, VALIDATOR_LEEWAY: '1' });
    expect(missing.stderr).toMatch(/nowhere\.json/);
    expect((await explainHere(['-'])).stderr).toBe('signet: there is no token\n');
  });
});

describe('POST /_explain', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ SIGNER_JWK_LOCAL_PATH });
  });
  afterAll(async () => {
    await gateway?.stop();
  });
  const explain = (body: string, type: string, url = gateway.url) =>
    call(`${url}/_explain`, { method: 'POST', headers: { 'content-type': type }, body });

  it('explains a token, in JSON or in a form', async () => {
    const token = await issuer.sign({ aud: 'http://other' });
    const json = await explain(JSON.stringify({ token }), 'application/json');
    expect([json.status, json.json]).toEqual([
      200,
      expect.objectContaining({ accepted: false, code: 'audience_mismatch' }),
    ]);
    expect(json.headers.get('cache-control')).toBe('no-store');
    const form = await explain(`token=${token}`, 'application/x-www-form-urlencoded');
    expect(form.json).toEqual(json.json);
    const late = await issuer.sign({ exp: Math.floor(Date.now() / 1000) - 180, aud: 'x' });
    const { text } = await explain(JSON.stringify({ token: late }), 'application/json');
    expect(text).toContain('VALIDATOR_LEEWAY forgives 1 s');
    expect(text).not.toContain('the option ');
    expect(json.text).not.toContain(token.split('.')[1]);
  });

  it('refuses what holds no token', async () => {
    for (const body of ['{}', '{"token":1}', '[]', 'null', '{"token":""}'])
      expect((await explain(body, 'application/json')).json.code).toBe('body_malformed');
    const repeated = await explain('token=a&token=b', 'application/x-www-form-urlencoded');
    expect(repeated.status).toBe(400);
  });

  it('is not there in production', async () => {
    const production = await startGateway({
      SIGNER_JWK_LOCAL_PATH,
      NODE_ENV: 'production',
      WORKERS: '1',
      SHUTDOWN_DELAY_MS: '0',
      BACKEND_HOST: 'http://127.0.0.1:9',
    });
    const { status } = await explain('{"token":"a"}', 'application/json', production.url);
    await production.stop();
    expect(status).toBe(404);
  });
});

describe('signet serve', () => {
  it('runs the gateway with the key that signet keys generate has made in the same folder', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'signet-serve-'));
    const generated = await runSignet(['keys', 'generate'], { cwd });
    expect(generated.stderr).toBe('');
    const env = { PORT: '0', HOST: '127.0.0.1', MANAGEMENT_PORT: 'off' };
    const child = spawn(process.execPath, [CLI, 'serve'], { cwd, env });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      await expect.poll(() => output, { timeout: 15_000 }).toMatch(/Listening on http:/);
      const url = /Listening on (http:\/\/[\d.:]+)/.exec(output)?.[1] ?? '';
      const { status, json } = await call(`${url}/token`, { method: 'POST' });
      expect(status).toBe(200);
      const kid = /^kid +(\S+)$/m.exec(generated.stdout)?.[1];
      expect(part(String(json.access_token), 0).kid).toBe(kid);
    } finally {
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(0);
      rmSync(cwd, { recursive: true });
    }
  });
});
