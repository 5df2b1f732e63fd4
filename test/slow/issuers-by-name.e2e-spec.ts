// Real OpenID providers in processes of their own, of which the gateway is told nothing but names.
import { join } from 'node:path';
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import type { JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt } from '../../src/auth/index.js';
import { JwksModule } from '../../src/jwks/index.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call, callWith } from '../helpers/network/http.js';
import { AUDIENCE, ISSUER, readiness, tokenOf, verdict } from '../helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from '../helpers/issuers/keys.js';
import { startNestApp } from '../helpers/apps/nest-app.js';
import {
  audienceOf,
  CLIENT,
  startOpenIdProvider,
  type OpenIdProvider,
} from '../helpers/issuers/oidc.js';
import { metricOf } from '../helpers/gateway/processes.js';
import { tempFolder } from '../helpers/run/resources.js';
import { verdictOf } from '../helpers/sessions/sessions.js';

const OWN = 'https://gateway.example.com';
const ALGORITHMS = ['RS256', 'ES256', 'Ed25519'] as const;
let secret: JWK;
let keys: string;
let provider: OpenIdProvider;
const gateways: GatewayProcess[] = [];

beforeAll(async () => {
  secret = await generateJwk('HS256', '1');
  keys = writeKeys([secret]);
  provider = await startOpenIdProvider();
});
afterAll(() => provider?.stop());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop();
});

/** A gateway that knows others by name; where their keys are it finds out. */
async function start(
  issuers: readonly string[],
  env: Record<string, string> = {},
): Promise<GatewayProcess> {
  const gateway = await startGateway({
    SIGNER_ISSUER: OWN,
    SIGNER_JWK_LOCAL_PATH: keys,
    VALIDATOR_ISSUER: issuers.join(),
    VALIDATOR_AUDIENCE: [AUDIENCE, ...ALGORITHMS.map(audienceOf)].join(),
    VALIDATOR_JWK_COOLDOWN: '1',
    JWK_HTTP_HOSTS: '127.0.0.1',
    ...env,
  });
  gateways.push(gateway);
  return gateway;
}

it('a provider has its tokens accepted, its rotation followed, its outage survived, and a restart is ready', async () => {
  const gateway = await start([provider.issuer]);
  const { url } = gateway;
  const before = await Promise.all(ALGORITHMS.map((alg) => provider.token(alg)));
  for (const token of before) expect(await verdict(url, token)).toBe('200');
  expect(part(before[2] ?? '', 0)).toMatchObject({ alg: 'Ed25519', kid: 'Ed25519-1' });
  // Our own tokens are not among those that were asked for.
  expect(await verdict(url, await tokenOf(secret, { iss: OWN }))).toBe('401 issuer_mismatch');

  // The odd key beside them costs nobody a key, before a rotation and after it.
  const skipped = async (): Promise<number> =>
    metricOf(await gateway.metrics(), 'signet_keyset_skipped_keys', provider.issuer);
  expect(await skipped()).toBe(1);
  expect(gateway.output()).toMatch(/kid 'odd' is for alg 'HPKE-0'.*skipped/);
  await provider.rotate();
  const rotated = await Promise.all(ALGORITHMS.map((alg) => provider.token(alg)));
  expect(part(rotated[0] ?? '', 0).kid).toBe('RS256-2');
  for (const token of rotated)
    await expect.poll(() => verdict(url, token), { interval: 100 }).toBe('200');
  expect(await skipped()).toBe(1);

  await provider.down();
  for (const token of [...before, ...rotated]) expect(await verdict(url, token)).toBe('200');
  const stranger = await tokenOf(await generateJwk('ES256', 'x'), { iss: provider.issuer });
  expect(await verdict(url, stranger)).toBe('401 key_not_found');
  expect(await verdict(url, before[1] ?? '')).toBe('200');
  expect(await readiness(url)).toBe(200);
  await provider.rotate();
  await provider.up();
  const returned = await provider.token('ES256');
  expect(part(returned, 0).kid).toBe('ES256-3');
  await expect.poll(() => verdict(url, returned), { interval: 100 }).toBe('200');

  const again = await start([provider.issuer]);
  expect(await readiness(again.url)).toBe(200);
  for (const token of [...before, ...rotated, returned])
    expect(await verdict(again.url, token)).toBe('200');
});

describe('two providers with the same kids', () => {
  let second: OpenIdProvider;
  let app: INestApplication | undefined;
  beforeAll(async () => {
    second = await startOpenIdProvider();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  afterAll(() => second?.stop());

  it('one that is away at boot makes its own tokens 503, and nobody else’s', async () => {
    const [here, away] = [await provider.token('ES256'), await second.token('ES256')];
    await second.down();
    const { url } = await start([OWN, provider.issuer, second.issuer]);
    const own = await tokenOf(secret, { iss: OWN });
    const verdicts = async (): Promise<string[]> =>
      Promise.all([own, here, away].map((token) => verdict(url, token)));
    expect(await verdicts()).toEqual(['200', '200', '503 keys_unavailable']);
    expect(await readiness(url)).toBe(200);
    await second.up();
    await expect.poll(verdicts).toEqual(['200', '200', '200']);
  });

  it('a token of one opens no route of the other', async () => {
    const issuer = (op: OpenIdProvider) => ({
      issuer: op.issuer,
      audience: ALGORITHMS.map(audienceOf),
    });
    @Controller()
    class Routes {
      @Get('one') @RequireJwt({ issuers: [issuer(provider)] }) one(): string {
        return 'one';
      }
      @Get('two') @RequireJwt({ issuers: [issuer(second)] }) two(): string {
        return 'two';
      }
      @Get('both') @RequireJwt({ issuers: [issuer(provider), issuer(second)] }) both(): string {
        return 'both';
      }
      @Get('own') @RequireJwt() own(): string {
        return 'own';
      }
    }
    @Module({
      imports: [
        JwksModule.forRoot({ signing: { path: keys }, remote: { httpHosts: ['127.0.0.1'] } }),
        AuthModule.forRoot({ algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
      ],
      controllers: [Routes],
    })
    class App {}
    const started = await startNestApp(App);
    app = started.app;
    const { url } = started;
    const tokens = {
      one: await provider.token('ES256'),
      two: await second.token('ES256'),
      own: await tokenOf(secret),
    };
    const seen: Record<string, string[]> = {};
    for (const [name, token] of Object.entries(tokens)) {
      seen[name] = [];
      for (const path of ['one', 'two', 'both', 'own'])
        seen[name].push(verdictOf(await callWith(`${url}/${path}`, token)));
    }
    expect(seen).toEqual({
      one: ['200', '401 issuer_mismatch', '200', '401 algorithm_not_allowed'],
      two: ['401 issuer_mismatch', '200', '200', '401 algorithm_not_allowed'],
      own: ['401 issuer_mismatch', '401 issuer_mismatch', '401 issuer_mismatch', '200'],
    });
  });
});

describe('tokens that the provider has bound to a key of its client', () => {
  /** What clients know of the nodes: a name in front of both. */
  const PUBLIC_URL = 'https://gw.example';
  const ROUTE = new URL(`${PUBLIC_URL}/private/custom`);
  const nodes: GatewayProcess[] = [];
  /** The headers that a client sent to a route last. */
  let sent: Record<string, string> = {};

  beforeAll(async () => {
    const STATE_STORE = `sqlite:${join(tempFolder('bound'), 'state.db')}`;
    for (const DPOP of ['supported', 'required'])
      nodes.push(await start([provider.issuer], { PUBLIC_URL, STATE_STORE, DPOP }));
    gateways.length = 0;
  });
  afterAll(() => Promise.all(nodes.map((node) => node.stop())));

  /** The name leads to the first node. */
  const throughName: openid.CustomFetch = (url, options) => {
    if (!url.startsWith(PUBLIC_URL)) return fetch(url, options);
    sent = Object.fromEntries(new Headers(options.headers));
    return fetch(url.replace(PUBLIC_URL, nodes[0]?.url ?? ''), options);
  };
  const at = async (node: number, headers: Record<string, string>): Promise<string> =>
    verdictOf(await call(`${nodes[node]?.url}/private/custom`, { headers }));

  /** A token of the provider for a client, and what the client gets with it. */
  const CLIENTS = {
    oauth4webapi: async () => {
      const insecure = { [oauth.allowInsecureRequests]: true };
      const issuer = new URL(provider.issuer);
      const as = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, insecure),
      );
      const client = { client_id: CLIENT.id };
      const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
      const { access_token: token, token_type: type } =
        await oauth.processClientCredentialsResponse(
          as,
          client,
          await oauth.clientCredentialsGrantRequest(
            as,
            client,
            oauth.ClientSecretPost(CLIENT.secret),
            { resource: audienceOf('ES256'), scope: 'read' },
            { DPoP, ...insecure },
          ),
        );
      const request = (): Promise<Response> =>
        oauth.protectedResourceRequest(token, 'GET', ROUTE, undefined, undefined, {
          DPoP,
          [oauth.customFetch]: (url, options) =>
            throughName(url, options as Parameters<openid.CustomFetch>[1]),
        });
      return { token, type, request };
    },
    'openid-client': async () => {
      const config = await openid.discovery(
        new URL(provider.issuer),
        CLIENT.id,
        undefined,
        openid.ClientSecretPost(CLIENT.secret),
        { execute: [openid.allowInsecureRequests] },
      );
      config[openid.customFetch] = throughName;
      const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('Ed25519'));
      const { access_token: token, token_type: type } = await openid.clientCredentialsGrant(
        config,
        { resource: audienceOf('Ed25519'), scope: 'read' },
        { DPoP },
      );
      const request = (): Promise<Response> =>
        openid.fetchProtectedResource(config, token, ROUTE, 'GET', undefined, undefined, { DPoP });
      return { token, type, request };
    },
  };

  it.each(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])(
    '%s opens a route; who repeats what it sent opens none, on no node',
    async (name) => {
      const { token, type, request } = await CLIENTS[name]();
      expect([type, part(token, 1).cnf]).toEqual(['dpop', { jkt: expect.any(String) as string }]);
      expect((await request()).status).toBe(200);
      const stolen = { authorization: sent.authorization ?? '', dpop: sent.dpop ?? '' };
      expect(stolen.authorization).toBe(`DPoP ${token}`);
      expect(await at(1, stolen)).toBe('401 dpop_proof_reused');
      expect(await at(0, stolen)).toBe('401 dpop_proof_reused');
      // Without a proof, with the scheme of others, and by another key.
      expect(await at(1, { authorization: stolen.authorization })).toBe('401 dpop_proof_missing');
      expect(await at(1, { authorization: `Bearer ${token}` })).toBe('401 dpop_scheme_needed');
      const other = await CLIENTS[name]();
      expect((await other.request()).status).toBe(200);
      expect(await at(1, { ...stolen, dpop: sent.dpop ?? '' })).toBe('401 dpop_key_mismatch');
      expect((await request()).status).toBe(200);
    },
  );

  it('a token that is not bound is a bearer token, but where bound ones are required', async () => {
    const authorization = `Bearer ${await provider.token('ES256')}`;
    expect(await at(0, { authorization })).toBe('200');
    expect(await at(1, { authorization })).toBe('401 dpop_token_unbound');
  });
});
