import type { JWK } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { limit } from './helpers/run/faults.js';
import { call, expectError } from './helpers/network/http.js';
import { provokeFetch, readiness, tokenOf, verdict } from './helpers/issuers/issuer.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf } from './helpers/issuers/keys.js';

let old: JWK, fresh: JWK, foreign: JWK;
let gateway: Gateway;
let server: JwksServer | undefined;

beforeAll(async () => {
  [old, fresh, foreign] = await Promise.all([
    generateJwk('ES256', 'old'),
    generateJwk('ES256', 'fresh'),
    generateJwk('ES256', 'foreign'),
  ]);
});
afterEach(async () => {
  await server?.down();
  server = undefined;
});

const boot = async (url: string, more: Record<string, string> = {}): Promise<string> => {
  gateway = await hostGateway({
    VALIDATOR_JWK_URL: url,
    VALIDATOR_ALG: 'ES256',
    DISABLE_JWK_SECURITY: 'true',
    ...more,
  });
  return gateway.url;
};

describe('a remote JWK Set that is down at boot', () => {
  it('holds the signing keys back as well: POST /token answers 503 until they arrive', async () => {
    server = await startJwksServer([old]);
    await server.down();
    gateway = await hostGateway({
      SIGNER_JWK_URL: server.url,
      SIGNER_ALG: 'ES256',
      SIGNER_KID: 'old',
      DISABLE_JWK_SECURITY: 'true',
    });
    const { url } = gateway;
    expectError(await call(`${url}/token`, { method: 'POST' }), 503, 'keys_unavailable');
    expect(await readiness(url)).toBe(503);
    await server.up();
    await expect.poll(() => readiness(url), { interval: 20 }).toBe(200);
    const { status, json } = await call(`${url}/token`, { method: 'POST' });
    expect(status).toBe(200);
    expect(await verdict(url, String(json.access_token))).toBe('200');
    const published = await call(`${url}/.well-known/jwks.json`);
    expect(published.json.keys).toEqual([publicHalf(old)]);
  });
});

describe('unknown kids', () => {
  it('F32: the first token of a new key is accepted after one fetch, and waits for it', async () => {
    server = await startJwksServer([publicHalf(old)]);
    const url = await boot(server.url, { VALIDATOR_JWK_COOLDOWN: '1' });
    server.serve([publicHalf(fresh), publicHalf(old)]);
    // What comes inside the cooldown is refused at once; here it ends a second after the boot.
    await provokeFetch(url, server);
    expect(server.fetches).toHaveLength(2);
    server.serve([publicHalf(foreign), publicHalf(fresh)]);
    const token = await tokenOf(foreign);
    let ms = 0;
    await expect
      .poll(
        async () => {
          const start = performance.now();
          const answer = await verdict(url, token);
          ms = performance.now() - start;
          return answer;
        },
        { interval: 20 },
      )
      .toBe('200');
    expect(ms).toBeLessThanOrEqual(limit(1000, 10_000));
    expect(server.fetches).toHaveLength(3);
    // What the provider took back is gone.
    expect(await verdict(url, await tokenOf(old))).toBe('401 key_not_found');
    expect(await verdict(url, await tokenOf(fresh))).toBe('200');
    // The log is written in batches.
    await expect
      .poll(() => gateway.output())
      .toContain(`JWK ${server.url}: reloaded (foreign, fresh)`);
  });
});

describe('a JWK URL that must not be used stops the boot in one line', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'http',
      { VALIDATOR_JWK_URL: 'http://127.0.0.1:1/jwks', VALIDATOR_ALG: 'ES256' },
      /VALIDATOR_JWK_URL must be https/,
    ],
    [
      'credentials',
      { VALIDATOR_JWK_URL: 'https://user:hush@127.0.0.1:1/jwks', VALIDATOR_ALG: 'ES256' },
      /credentials|VALIDATOR_JWK_URL/,
    ],
    [
      'an algorithm with secrets',
      { VALIDATOR_JWK_URL: 'https://127.0.0.1:1/jwks', VALIDATOR_ALG: 'HS256' },
      /only public keys are taken from there, and HS256 needs a secret/,
    ],
    [
      'a CA that is none',
      {
        VALIDATOR_JWK_URL: 'https://127.0.0.1:1/jwks',
        VALIDATOR_ALG: 'ES256',
        VALIDATOR_JWK_LOCAL_CA: import.meta.filename,
      },
      /not a certificate in PEM/,
    ],
  ])('%s', async (_name, env, reason) => {
    const { lines, output } = await refuseInHost(env);
    expect(lines).toEqual([expect.stringMatching(reason)]);
    expect(output).not.toMatch(/hush|\n\s+at /);
  });
});
