import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCertificate } from './helpers/network/certificate.js';
import { startForwardProxy, type ForwardProxy } from './helpers/network/forward-proxy.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { tokenOf, verdict } from './helpers/issuers/issuer.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf } from './helpers/issuers/keys.js';
import { tempFolder } from './helpers/run/resources.js';

const authority = createCertificate('Test CA');
const leaf = createCertificate('id.test', authority.authority);
const CA = join(tempFolder('proxy'), 'ca.pem');
writeFileSync(CA, authority.cert);

let key: JWK;
let secure: JwksServer, plain: JwksServer;
let proxy: ForwardProxy;
let gateway: Gateway | undefined;

beforeAll(async () => {
  key = await generateJwk('ES256', 'k1');
  secure = await startJwksServer([publicHalf(key)], {
    cert: leaf.cert + authority.cert,
    key: leaf.key,
  });
  plain = await startJwksServer([publicHalf(key)]);
});
beforeEach(async () => {
  proxy = await startForwardProxy();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await proxy.stop();
});
afterAll(() => Promise.all([secure.down(), plain.down()]));

/** What becomes of a good token. */
async function judge(server: JwksServer, env: Record<string, string>): Promise<string> {
  gateway = await hostGateway({
    VALIDATOR_ALG: 'ES256',
    VALIDATOR_JWK_URL: server.url,
    VALIDATOR_JWK_LOCAL_CA: CA,
    JWK_HTTP_HOSTS: '127.0.0.1',
    ...env,
  });
  return verdict(gateway.url, await tokenOf(key));
}
const hostOf = ({ url }: JwksServer): string => new URL(url).host;
const originOf = ({ url }: JwksServer): string => new URL(url).origin;

describe('keys are fetched', () => {
  it.each(['HTTPS_PROXY', 'https_proxy'])(
    'through a tunnel of %s, with the checks of a connection without one',
    async (name) => {
      const env = {
        [name]: `http://${proxy.host}`,
        HTTP_PROXY: 'http://127.0.0.1:1',
        VALIDATOR_JWK_FINGERPRINTS: leaf.pin,
      };
      expect(await judge(secure, env)).toBe('200');
      expect(proxy.asked).toEqual([`CONNECT ${hostOf(secure)}`]);
      // Those of the tunnel are about the server, so one of another key is as bad as without it.
      await gateway?.stop();
      const pinned = { ...env, VALIDATOR_JWK_FINGERPRINTS: authority.pin };
      expect(await judge(secure, pinned)).toBe('503 keys_unavailable');
      await expect.poll(() => gateway?.output()).toMatch(/matches none of the fingerprints/);
      await gateway?.stop();
      const untrusted = { ...env, VALIDATOR_JWK_LOCAL_CA: '' };
      expect(await judge(secure, untrusted)).toBe('503 keys_unavailable');
      await expect.poll(() => gateway?.output()).toMatch(/certificate is not trusted/);
    },
  );

  it('by http through HTTP_PROXY', async () => {
    expect(await judge(plain, { HTTP_PROXY: `http://${proxy.host}` })).toBe('200');
    expect(proxy.asked).toEqual([`GET ${plain.url}`]);
  });

  it('with the credentials of the proxy, which no log shows', async () => {
    const user = 'p%40rt',
      password = 'very-s3cret';
    const env = { HTTPS_PROXY: `http://${user}:${password}@${proxy.host}`, LOG_LEVEL: 'trace' };
    const basic = `Basic ${Buffer.from(`p@rt:${password}`).toString('base64')}`;
    expect(await judge(secure, env)).toBe('200');
    expect(proxy.credentials).toEqual([basic]);
    proxy.mode = 'refuse';
    await gateway?.stop();
    const log = gateway?.output() ?? '';
    expect(await judge(secure, env)).toBe('503 keys_unavailable');
    await expect.poll(() => gateway?.output()).toMatch(/the proxy refused with status 407/);
    for (const secret of [password, 'p%40rt', 'p@rt', basic.slice(6)])
      expect(log + gateway?.output()).not.toContain(secret);
  });

  it('again, once a proxy that hung or refused works', async () => {
    for (const server of [secure, plain])
      for (const mode of ['hang', 'refuse'] as const) {
        proxy.mode = mode;
        const url = `http://${proxy.host}`;
        expect(await judge(server, { HTTP_PROXY: url, HTTPS_PROXY: url })).toBe(
          '503 keys_unavailable',
        );
        proxy.mode = 'pass';
        const token = await tokenOf(key);
        await expect.poll(() => verdict(gateway?.url ?? '', token)).toBe('200');
        await gateway?.stop();
      }
  });

  it('with the metadata of an issuer, all of them through the proxy', async () => {
    const issuer = originOf(secure);
    secure.serve(({ url }, response) => {
      const document = url?.startsWith('/.well-known/')
        ? { issuer, jwks_uri: secure.url }
        : { keys: [publicHalf(key)] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
    });
    await judge(secure, {
      VALIDATOR_JWK_URL: '',
      SIGNER_ISSUER: 'https://own',
      VALIDATOR_ISSUER: issuer,
      HTTPS_PROXY: `http://${proxy.host}`,
    });
    const token = await tokenOf(key, { iss: issuer });
    await expect.poll(() => verdict(gateway?.url ?? '', token)).toBe('200');
    expect(proxy.asked).toEqual(Array.from({ length: 2 }, () => `CONNECT ${hostOf(secure)}`));
    secure.serve([publicHalf(key)]);
  });
});

describe('tokens are asked about', () => {
  const askAbout = async (server: JwksServer, env: Record<string, string>): Promise<string[]> => {
    server.serve((_request, response) => {
      const body = { active: true, aud: 'api', exp: 1e10, roles: ['role_a'] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    gateway = await hostGateway({
      SIGNER_ISSUER: 'https://own',
      VALIDATOR_ISSUER: 'https://id.example',
      VALIDATOR_AUDIENCE: 'api',
      VALIDATOR_JWK_LOCAL_CA: CA,
      VALIDATOR_INTROSPECTION_URL: server.url,
      VALIDATOR_INTROSPECTION_CACHE_TTL: '0',
      JWK_HTTP_HOSTS: '127.0.0.1',
      ...env,
    });
    for (let i = 0; i < 3; i++) expect(await verdict(gateway.url, `opaque-${i}`)).toBe('200');
    server.serve([publicHalf(key)]);
    // The metadata of the issuer are looked for meanwhile.
    return proxy.asked.filter((line) => line.includes(hostOf(server)));
  };

  it('through one tunnel, whose connection is kept', async () => {
    const asked = await askAbout(secure, { HTTPS_PROXY: `http://${proxy.host}` });
    expect(asked).toEqual([`CONNECT ${hostOf(secure)}`]);
  });

  it('by http through HTTP_PROXY', async () => {
    const asked = await askAbout(plain, { HTTP_PROXY: `http://${proxy.host}` });
    expect(asked).toEqual(Array.from({ length: 3 }, () => `POST ${plain.url}`));
  });
});

describe('keys are fetched without a proxy', () => {
  const HTTPS_PROXY = 'http://127.0.0.1:1';
  it.each<[string, Record<string, string>]>([
    ['of a host of NO_PROXY', { HTTPS_PROXY, NO_PROXY: 'id.test, 127.0.0.1' }],
    [
      'of a host of no_proxy, which comes before NO_PROXY',
      { HTTPS_PROXY, no_proxy: '*', NO_PROXY: 'x' },
    ],
    ['by https where only HTTP_PROXY is set', { HTTP_PROXY: HTTPS_PROXY }],
    ['where https_proxy is empty and HTTPS_PROXY is unset', { https_proxy: '' }],
  ])('%s', async (_what, env) => {
    expect(await judge(secure, env)).toBe('200');
  });
});

it('a proxy that is no URL is a boot error, which names the variable and not the value', async () => {
  const { lines, output } = await refuseInHost({
    HTTP_PROXY: 'socks5://a-proxy:1080',
    https_proxy: 'user:very-s3cret@a-proxy:3128',
  });
  const problem = 'must be the URL of a proxy like http://proxy.example:3128';
  expect(lines).toEqual([
    `HTTP_PROXY (or http_proxy) ${problem}`,
    `HTTPS_PROXY (or https_proxy) ${problem}`,
  ]);
  expect(output).not.toMatch(/very-s3cret|a-proxy/);
});
