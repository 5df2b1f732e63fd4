import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Gateway } from '../helpers/gateway/gateway.js';
import { hostGateway } from '../helpers/gateway/host.js';
import { blocksOf, environmentOf } from '../helpers/pages/manual.js';
import { startOpenIdProvider, type OpenIdProvider } from '../helpers/issuers/oidc.js';
import { tempFolder } from '../helpers/run/resources.js';
import { custom } from '../helpers/sessions/sessions.js';

/** A client that knows of the gateway nothing but its address, with tokens of a real provider. */
const [START, CLIENT] = blocksOf('recipes', 'Bound tokens', 'bash', 'js');
let provider: OpenIdProvider;
let gateway: Gateway;
let directory: string;

beforeAll(async () => {
  provider = await startOpenIdProvider();
  const { VALIDATOR_ISSUER, VALIDATOR_JWK_URL, ...env } = environmentOf(START);
  const [own, other = ''] = VALIDATOR_ISSUER?.split(',') ?? [];
  if (own !== 'http://localhost:8080' || VALIDATOR_JWK_URL !== `${other}/jwks`)
    throw new Error(START);
  gateway = await hostGateway({
    ...env,
    SIGNER_ISSUER: '',
    VALIDATOR_ISSUER: `http://localhost:0,${provider.issuer}`,
    VALIDATOR_JWK_URL: provider.jwksUri,
    DISABLE_JWK_SECURITY: 'true',
  });
  directory = tempFolder('client');
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
});
afterAll(async () => {
  await gateway?.stop();
  await provider?.stop();
});

/** Runs the client of the recipe, with plain http to the provider of the test. */
async function runClient(code: string): Promise<string> {
  const insecure = code.replace(
    'client.ClientSecretPost(SECRET),',
    '$& { execute: [client.allowInsecureRequests] },',
  );
  expect(insecure).not.toBe(code);
  const file = join(directory, 'client.mjs');
  writeFileSync(file, insecure);
  const env = {
    ...process.env,
    ISSUER: provider.issuer,
    SIGNET: gateway.url,
    SECRET: 'a-secret-of-the-test',
  };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
  return stdout.trim();
}

it('a client with openid-client gets a bound token, and opens a route with it', async () => {
  expect(await runClient(CLIENT)).toBe('200');
});

it('without its key the token opens nothing', async () => {
  const stolen = await runClient(`${CLIENT}console.log(token);`);
  const token = stolen.split('\n')[1] ?? '';
  expect(token.split('.')).toHaveLength(3);
  expect(await custom(gateway.url, token)).toBe('401 dpop_scheme_needed');
});

it('a token that is not bound opens nothing, either', async () => {
  expect(await custom(gateway.url, await provider.token('ES256'))).toBe('401 dpop_token_unbound');
});
