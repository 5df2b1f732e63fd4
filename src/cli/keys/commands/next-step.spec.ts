import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSignet } from '../../../../test/helpers/gateway/cli.js';
import type { JwsAlgorithm } from '../../../core/jws/index.js';
import { KeySet } from '../../../core/keys/index.js';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'signet-next-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

async function fields(
  args: string,
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await runSignet(args.split(' '), { cwd, env, input });
  expect([code, stderr]).toEqual([0, '']);
  return Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const [, name = '', value = ''] = /^(\w+) +(.*)$/.exec(line) ?? [];
      return name === '' ? [] : [[name, value]];
    }),
  );
}

describe('the next step after a new key', () => {
  it.each([
    // Environment, further options, what is said.
    [{}, '', 'signet serve; a gateway that runs follows the file'],
    [{ SIGNER_ALG: 'ES256' }, '', 'signet serve; a gateway that runs follows the file'],
    // Two names of one algorithm.
    [
      { SIGNER_ALG: 'Ed25519' },
      '--alg EdDSA',
      'signet serve; a gateway that runs follows the file',
    ],
    [{}, '--alg ES256', 'set SIGNER_ALG=ES256, then: signet serve'],
    [
      { SIGNER_KID: 'other' },
      '--alg RS256 --bits 2048 --kid mine --file own.json',
      'set SIGNER_ALG=RS256 SIGNER_JWK_LOCAL_PATH=own.json SIGNER_KID=mine, then: signet serve',
    ],
    [{}, '--state active', 'signet serve; a gateway that runs follows the file'],
    [{}, '--state pending', 'signet keys rotate'],
    [
      {},
      '--state pending --alg ES256 --file own.json',
      'signet keys rotate --file own.json --alg ES256',
    ],
    [{}, '--state retired', 'none: its tokens are refused'],
  ])('%j %s', async (env, options, said) => {
    const { next, kid, alg, file } = await fields(`keys generate ${options}`.trimEnd(), { env });
    expect(next).toBe(said);
    const variables = [...(next ?? '').matchAll(/([A-Z_]+)=(\S+?)(?=,? )/g)];
    const told = Object.fromEntries(variables.map(([, name = '', value = '']) => [name, value]));
    const settings: Record<string, string> = { SIGNER_KID: 'auto', ...env, ...told };
    if (!said.includes('signet serve')) return;
    // What is said is right: this key signs then.
    const set = KeySet.parse(readFileSync(join(cwd, file ?? ''), 'utf8'), 'file');
    const signer = set.signer(
      (settings.SIGNER_ALG ?? alg) as JwsAlgorithm,
      settings.SIGNER_KID ?? '',
    );
    expect(signer.kid).toBe(kid);
  });

  it('names the kid where the file has several keys that could sign', async () => {
    await fields('keys generate --kid one');
    expect(await fields('keys generate --add --kid two')).toMatchObject({
      next: 'set SIGNER_KID=two, then: signet serve',
    });
  });

  it('is about checking where the key cannot sign', async () => {
    await fields('keys generate --alg ES256 --file own.json');
    const { stdout } = await runSignet(['keys', 'public', '--file', 'own.json'], { cwd });
    const [jwk] = (JSON.parse(stdout) as { keys: object[] }).keys;
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const input = key.export({ format: 'pem', type: 'spki' }).toString();
    const partner = 'keys import --alg ES256 --file partner.json';
    expect(await fields(partner, { input })).toMatchObject({
      next: 'set VALIDATOR_JWK_LOCAL_PATH=partner.json where its tokens are checked',
    });
    rmSync(join(cwd, 'partner.json'));
    const env = { VALIDATOR_JWK_LOCAL_PATH: 'partner.json' };
    expect(await fields(partner, { input, env })).toMatchObject({
      next: 'tokens of this key are accepted as soon as the gateway has read the file',
    });
  });
});

describe('the next step after other commands', () => {
  it('of clients is the variable of the file, where that is not set', async () => {
    expect(await fields('clients add a')).toMatchObject({
      next: 'set CLIENTS_FILE=clients.json, then: signet serve',
    });
    const env = { CLIENTS_FILE: 'clients.json' };
    expect(await fields('clients add b', { env })).toMatchObject({
      next: 'signet serve; a gateway that runs follows the file',
    });
    expect(await fields('clients rotate-secret b')).toMatchObject({
      next: 'give it to the client: the old one ends as soon as the gateway has read the file',
    });
  });

  it('of keys is what the gateway needs', async () => {
    await fields('keys generate --alg ES256 --kid a');
    expect(await fields('keys public --out public.json')).toMatchObject({
      next: 'set VALIDATOR_JWK_LOCAL_PATH=public.json where tokens are only checked',
    });
    const env = { KEY_PASSPHRASE: 'correct horse' };
    expect(await fields('keys encrypt', { env })).toMatchObject({
      next: 'give the gateway the same KEY_PASSPHRASE or KEY_PASSPHRASE_FILE before it starts',
    });
    expect(await fields('keys decrypt --out plain.json', { env })).toMatchObject({
      next: 'remove plain.json when it has served its purpose',
    });
    expect(await fields('keys retire a --force --file plain.json')).toMatchObject({
      next: 'signet keys rotate --file plain.json --now --force, until another key is active',
    });
  });
});
