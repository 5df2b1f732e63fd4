// Long tokens, tokens without an audience, and claims of the wrong type, over HTTP.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith, expectError, type Answer } from './helpers/network/http.js';
import { AUDIENCE, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
  await backend.answer('/user/1.json', { body: { ok: true } });
});
afterAll(() => backend.stop());

/** As Entra names the groups of a user; at most 200 stand in a token. */
const groups = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => `${String(i).padStart(8, '0')}-1111-4222-8333-444444444444`,
  );

/** What a login with these claims leads to. */
async function login(gateway: Gateway, claims: object): Promise<Answer> {
  const access_token = { sub: 'u1', aud: AUDIENCE, roles: ['role_a'], ...claims };
  await backend.answer('/token.json', { body: { access_token } });
  return call(`${gateway.url}/token`, { method: 'POST' });
}
const custom = ({ url }: Gateway, token: unknown): Promise<Answer> =>
  callWith(`${url}/private/custom`, String(token));

describe('a token', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await hostGateway({ BACKEND_HOST: backend.url });
  });
  afterAll(() => gateway.stop());

  it('with 200 groups is signed and taken', async () => {
    const { status, json } = await login(gateway, { groups: groups(200) });
    expect([status, String(json.access_token).length > 10_000]).toEqual([200, true]);
    expect((await custom(gateway, json.access_token)).status).toBe(200);
  });

  it('that would be longer than VALIDATOR_MAX_TOKEN_LENGTH is not signed', async () => {
    const answer = await login(gateway, { groups: groups(400) });
    expectError(answer, 502, 'token_too_large', 'server_error');
    expect(answer.json.error_description).toMatch(/would have \d+ characters; at most 16384/);
    expect(answer.text).not.toContain('eyJ');
  });

  it('that is longer is refused, before any other limit is', async () => {
    const { json } = await login(gateway, {});
    const answer = await custom(gateway, `${String(json.access_token)}${'A'.repeat(16_384)}`);
    expectError(answer, 401, 'token_malformed');
    expect(answer.json.error_description).toContain('at most 16384');
  });

  it.each([
    ['sub', 7],
    ['sub', ['u1']],
    ['jti', null],
    ['sid', { id: 1 }],
    ['iss', ['https://krakend.io']],
    ['aud', [AUDIENCE, 5]],
  ])('whose %s is %j is not signed', async (name, value) => {
    const answer = await login(gateway, { [name]: value });
    expectError(answer, 502, 'claims_invalid', 'server_error');
    expect(answer.json.error_description).toContain(`access_token.${name} is not a string`);
  });
});

it('VALIDATOR_MAX_TOKEN_LENGTH raises the limit of tokens and of headers alike', async () => {
  const gateway = await hostGateway({
    BACKEND_HOST: backend.url,
    VALIDATOR_MAX_TOKEN_LENGTH: '65536',
  });
  const { status, json } = await login(gateway, { groups: groups(1000) });
  expect([status, String(json.access_token).length > 50_000]).toEqual([200, true]);
  expect((await custom(gateway, json.access_token)).status).toBe(200);
  expectError(await login(gateway, { groups: groups(1400) }), 502, 'token_too_large');
  await gateway.stop();
});

describe('tokens of an issuer that names no audience', () => {
  const start = async (env: Record<string, string>) => {
    const jwk = await generateJwk('HS256', 'k');
    const gateway = await hostGateway({
      BACKEND_HOST: backend.url,
      SIGNER_KID: 'k',
      SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
      ...env,
    });
    const verdict = async (claims: Record<string, unknown>): Promise<string> => {
      const { status, json } = await custom(gateway, await tokenOf(jwk, claims));
      return status === 200 ? '200' : String(json.code);
    };
    const warnings = gateway
      .log()
      .filter(({ level }) => level === 40)
      .map(({ msg }) => msg);
    return { gateway, verdict, warnings };
  };

  it('are taken for a client that VALIDATOR_AUDIENCE_CLAIM names', async () => {
    const { gateway, verdict, warnings } = await start({
      VALIDATOR_AUDIENCE_CLAIM: 'client_id',
      VALIDATOR_AUDIENCE: 'app-1',
    });
    expect(await verdict({ client_id: 'app-1', aud: undefined })).toBe('200');
    expect(await verdict({ client_id: 'app-2', aud: undefined })).toBe('audience_mismatch');
    expect(await verdict({ aud: 'app-1' })).toBe('audience_mismatch');
    expect(await verdict({ client_id: 1, aud: undefined })).toBe('claim_invalid');
    expect(warnings).toEqual([]);
    await gateway.stop();
  });

  it('are taken with VALIDATOR_AUDIENCE=unchecked, of which the boot warns', async () => {
    const { gateway, verdict, warnings } = await start({ VALIDATOR_AUDIENCE: 'unchecked' });
    expect(await verdict({ aud: undefined })).toBe('200');
    expect(await verdict({ aud: 'https://other.example' })).toBe('200');
    expect(await verdict({ sub: ['u1'] })).toBe('claim_invalid');
    expect(warnings).toEqual([
      expect.stringMatching(/audience is unchecked: .*GET \/private\/custom/),
    ]);
    await gateway.stop();
  });

  it('do not make the boot warn where a claim is required instead', async () => {
    const { gateway, verdict, warnings } = await start({
      VALIDATOR_AUDIENCE: 'unchecked',
      VALIDATOR_REQUIRED_CLAIMS: 'app.client_id',
    });
    expect(await verdict({ aud: undefined, app: { client_id: 'x' } })).toBe('200');
    expect(await verdict({ aud: undefined })).toBe('claim_missing');
    expect(warnings).toEqual([]);
    await gateway.stop();
  });
});
