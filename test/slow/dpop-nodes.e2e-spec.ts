import { join } from 'node:path';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, createBoundToken } from '../helpers/sessions/bound-token.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { hostGateway } from '../helpers/gateway/host.js';
import { call } from '../helpers/network/http.js';
import { tokenOf } from '../helpers/issuers/issuer.js';
import { tempFolder } from '../helpers/run/resources.js';
import { startRedis, withoutRedis, type RedisServer } from '../helpers/stores/redis.js';

const { jwk, client, bound, backend, env } = await createBoundToken();
afterAll(() => backend.stop());

const SQLITE = `sqlite:${join(tempFolder('dpop'), 'state.db')}`;

/** What clients know of the nodes: a name in front of both. */
const PUBLIC_URL = 'https://gw.example';
const ROUTE = `${PUBLIC_URL}/private/custom`;

/** The cases of two nodes with one state store. */
function describeNodes(name: string, storeUrl: () => string): void {
  describe(`two nodes with ${name}`, () => {
    let one: Gateway;
    let two: Gateway;
    beforeAll(async () => {
      const shared = { ...env, PUBLIC_URL, STATE_STORE: storeUrl() };
      one = await startGateway({ ...shared, WORKERS: '2' });
      two = await hostGateway(shared);
    });
    afterAll(() => Promise.all([one?.stop(), two?.stop()]));

    it('accept each proof once, whichever gets it first', async () => {
      const [first, second] = await Promise.all([
        client.headers(bound, ROUTE),
        client.headers(bound, ROUTE),
      ]);
      expect(await ask(one.url, first)).toBe('200');
      expect(await ask(two.url, first)).toBe('401 dpop_proof_reused');
      expect(await ask(two.url, second)).toBe('200');
      expect(await ask(one.url, second)).toBe('401 dpop_proof_reused');
    });

    it('accept one of many requests at the same time with one proof', async () => {
      const headers = await client.headers(bound, ROUTE);
      const verdicts = await Promise.all(
        Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? one.url : two.url, headers)),
      );
      expect(verdicts.filter((verdict) => verdict === '200')).toHaveLength(1);
      expect(new Set(verdicts)).toEqual(new Set(['200', '401 dpop_proof_reused']));
    });

    it('serve openid-client, and nobody who repeats what it sent', async () => {
      const seen: Headers[] = [];
      const server = { issuer: PUBLIC_URL, token_endpoint: `${PUBLIC_URL}/token` };
      const config = new openid.Configuration(server, 'shop');
      // The name leads to the first node.
      config[openid.customFetch] = (url, options) => {
        seen.push(new Headers(options.headers));
        return fetch(url.replace(PUBLIC_URL, one.url), options);
      };
      const keyPair = await openid.randomDPoPKeyPair('ES256');
      const DPoP = openid.getDPoPHandle(config, keyPair);
      const cnf = { jkt: await DPoP.calculateThumbprint() };
      const token = await tokenOf(jwk, { cnf });
      const answer = await openid.fetchProtectedResource(
        config, token, new URL(ROUTE), 'GET', undefined, undefined, { DPoP },
      ); // prettier-ignore
      expect([answer.status, await answer.json()]).toEqual([200, { id: 1 }]);
      const [headers] = seen;
      const stolen = {
        authorization: headers?.get('authorization') ?? '',
        dpop: headers?.get('dpop') ?? '',
      };
      expect(stolen.authorization).toBe(`DPoP ${token}`);
      expect(await ask(two.url, stolen)).toBe('401 dpop_proof_reused');
      expect(await ask(two.url, { authorization: `Bearer ${token}` })).toBe(
        '401 dpop_scheme_needed',
      );
    });
  });
}

/** The values of any store are shared in one way: see the contract of stores. */
describe('two nodes with nonces', () => {
  let one: Gateway;
  let two: Gateway;
  beforeAll(async () => {
      const shared = { ...env, PUBLIC_URL, STATE_STORE: SQLITE, DPOP_NONCE: 'true', DPOP: 'required' };
      one = await startGateway(shared);
    two = await hostGateway(shared);
    }); // prettier-ignore
  afterAll(() => Promise.all([one?.stop(), two?.stop()]));

  it('agree on them', async () => {
    const keyPair = await oauth.generateKeyPair('ES256');
    const DPoP = oauth.DPoP({}, keyPair);
    const token = await tokenOf(jwk, { cnf: { jkt: await DPoP.calculateThumbprint() } });
    const at = (node: Gateway): Promise<number | string> =>
      oauth
        .protectedResourceRequest(token, 'GET', new URL(ROUTE), undefined, undefined, {
          DPoP,
          [oauth.customFetch]: (url, options) =>
            fetch(url.replace(PUBLIC_URL, node.url), options as RequestInit),
        })
        .then(
          ({ status }) => status,
          (error: unknown) => (oauth.isDPoPNonceError(error) ? 'nonce' : 'other'),
        );
    expect(await at(one)).toBe('nonce');
    for (const node of [one, two, one, two]) expect(await at(node)).toBe(200);
  });

  it('accept nothing that is not bound', async () => {
      const token = await tokenOf(jwk);
      expect(await ask(one.url, { authorization: `Bearer ${token}` })).toBe('401 dpop_token_unbound');
      const { headers } = await call(`${one.url}/private/custom`);
      expect(headers.get('www-authenticate')).toMatch(/^DPoP algs="[\w -]+", resource_metadata="[^"]+"$/);
    }); // prettier-ignore
});

describeNodes('SQLite', () => SQLITE);

describe.skipIf(withoutRedis)('a Redis server', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  describeNodes('Redis', () => redis.url);

  it('that is away lets no proof in, and every bearer token', async () => {
    const away = await startRedis();
    const gateway = await hostGateway({ ...env, STATE_STORE: away.url });
    const route = `${gateway.url}/private/custom`;
    expect(await ask(gateway.url, await client.headers(bound, route))).toBe('200');
    await away.kill();
    expect(await ask(gateway.url, await client.headers(bound, route))).toBe('503 state_unavailable');
    const token = await tokenOf(jwk);
    expect(await ask(gateway.url, { authorization: `Bearer ${token}` })).toBe('200');
    await gateway.stop();
    await away.stop();
  }); // prettier-ignore
});
