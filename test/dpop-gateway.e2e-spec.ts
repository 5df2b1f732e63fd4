import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../src/environment/index.js';
import { ask, createBoundToken } from './helpers/sessions/bound-token.js';
import { createCertificate } from './helpers/network/certificate.js';
import { runSignet } from './helpers/gateway/cli.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call } from './helpers/network/http.js';
import { ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { postForm, verdictOf } from './helpers/sessions/sessions.js';

const { jwk, client, bound, backend, env } = await createBoundToken();
afterAll(() => backend.stop());

/** What its clients know it by. */
const ROUTE = 'https://gw.example/private/custom';

describe('a gateway', () => {
  let gateway: Gateway;
  const certificate = createCertificate('client');
  beforeAll(async () => {
    gateway = await hostGateway({
      ...env,
      ADMIN_ROLES: 'admin',
      TRUST_PROXY: 'loopback',
      VALIDATOR_MTLS_HEADER: 'X-SSL-Cert',
      REFRESH_BACKEND_PATH: '/refresh.json',
    });
  });
  afterAll(() => gateway?.stop());

  it('accepts bound tokens by default, and counts and logs what it refuses', async () => {
    const route = `${gateway.url}/private/custom`;
    const headers = await client.headers(bound, route);
    expect(await ask(gateway.url, headers)).toBe('200');
    expect(backend.seen.at(-1)?.headers).not.toHaveProperty('dpop');
    expect(await ask(gateway.url, headers)).toBe('401 dpop_proof_reused');
    await expect
      .poll(() => gateway.log().find(({ code }) => code === 'dpop_proof_reused'))
      .toMatchObject({ status: 401, reason: expect.stringContaining('used before') as string });
    expect(await gateway.metrics()).toContain('code="dpop_proof_reused"');
    expect(gateway.output()).not.toContain(headers.dpop.split('.')[2]);
  });

  it('knows scheme and host from a trusted proxy, and the certificate', async () => {
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gw.example' };
    const headers = await client.headers(bound, ROUTE);
    expect(await ask(gateway.url, { ...headers, ...forwarded })).toBe('200');
    const der = Buffer.from(certificate.cert.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    const x5t = createHash('sha256').update(der).digest('base64url');
    const token = await tokenOf(jwk, { cnf: { 'x5t#S256': x5t } });
    const authorization = `Bearer ${token}`;
    const escaped = encodeURIComponent(certificate.cert);
    expect(await ask(gateway.url, { authorization, 'x-ssl-cert': escaped })).toBe('200');
    expect(await ask(gateway.url, { authorization })).toBe('401 claim_invalid');
  });

  it('tells of a bound token what it is, and takes it back from whoever has it', async () => {
    const admin = await tokenOf(jwk, { roles: ['admin'] });
    const introspect = async (): Promise<unknown> =>
      (await postForm(`${gateway.url}/token/introspect`, { token: bound }, { authorization: `Bearer ${admin}` })).json;
    expect(await introspect()).toMatchObject({ active: true, token_type: 'DPoP', cnf: client.cnf });
    const logout = await call(`${gateway.url}/logout`, {
      method: 'POST',
      headers: { authorization: `DPoP ${await tokenOf(jwk, { cnf: client.cnf, sid: 's2' })}` },
    });
    expect(logout.status).toBe(204);
    expect((await postForm(`${gateway.url}/token/revoke`, { token: bound })).status).toBe(200);
    expect(await introspect()).toEqual({ active: false });
    const headers = await client.headers(bound, `${gateway.url}/private/custom`);
    expect(await ask(gateway.url, headers)).toBe('401 token_revoked');
  }); // prettier-ignore

  it('refreshes no bound refresh token without a proof', async () => {
    const header = { typ: 'rt+jwt' };
    const [free, tied] = [await tokenOf(jwk, {}, header), await tokenOf(jwk, { cnf: client.cnf }, header)];
    await backend.answer('/refresh.json', { body: { access_token: { sub: 'u1' }, refresh_token: { sub: 'u1' } } });
    const refresh = async (token: string): Promise<string> =>
      verdictOf(await postForm(`${gateway.url}/token`, { grant_type: 'refresh_token', refresh_token: token }));
    expect(await refresh(free)).toBe('200');
    expect(await refresh(tied)).toBe('400 dpop_proof_missing');
  }); // prettier-ignore

  it('explains a bound token', async () => {
    const token = await tokenOf(jwk, { cnf: client.cnf });
    const { json } = await postForm(`${gateway.url}/_explain`, { token });
    expect(json).toMatchObject({ accepted: false, code: 'dpop_proof_missing' });
    expect(json.checks).toContainEqual(
      expect.objectContaining({ check: 'binding', verdict: 'refused', code: 'dpop_proof_missing' }),
    );
    const setting = { cwd: gateway.cwd, env: { ...env, SIGNER_ISSUER: ISSUER } };
    const { stdout: shown } = await runSignet(['explain', token], setting);
    expect(shown).toMatch(/^REFUSED {2}binding .*bound to the key [\w-]{43}.*\n +fix: send it as "Authorization: DPoP <token>"/m);
    expect(shown).toMatch(/The token is refused: dpop_proof_missing\n$/);
  }); // prettier-ignore
});

describe('DPOP', () => {
  it('off refuses bound tokens, and challenges by Bearer only', async () => {
    const gateway = await hostGateway({ ...env, DPOP: 'off' });
    const headers = await client.headers(bound, `${gateway.url}/private/custom`);
    expect(await ask(gateway.url, headers)).toBe('401 dpop_disabled');
    expect(await ask(gateway.url, { authorization: `Bearer ${bound}` })).toBe('401 dpop_disabled');
    const { headers: answered } = await call(`${gateway.url}/private/custom`);
    expect(answered.get('www-authenticate')).toMatch(
      /^Bearer realm="signet", resource_metadata="[^"]+"$/,
    );
    await gateway.stop();
  });

  it('is refused with another value, and a certificate header without a trusted proxy', () => {
    const read = (): unknown =>
      readEnvironment({
        DPOP: 'true',
        DPOP_NONCE: 'x',
        VALIDATOR_MTLS_HEADER: 'X-Cert',
        TRUST_PROXY: 'false',
      });
    expect(read).toThrow('DPOP must be one of off, supported, required');
    expect(read).toThrow('DPOP_NONCE must be true or false');
    expect(read).toThrow('VALIDATOR_MTLS_HEADER needs TRUST_PROXY');
  });
});
