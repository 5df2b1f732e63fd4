import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, Post, Req, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  AuthModule,
  Claims,
  RequireJwt,
  type AuthModuleOptions,
  type RequireJwtOptions,
} from '../src/auth/index.js';
import { BackendClient, BackendModule } from '../src/backend/index.js';
import { ErrorFilter } from '../src/http/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { StateModule } from '../src/state/index.js';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { createCertificate } from './helpers/network/certificate.js';
import { createDpopClient, type DpopClient } from './helpers/sessions/dpop.js';
import { call, exchange, type Answer } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';

let jwk: JWK;
let keys: string;
let backend: Backend;
let client: DpopClient;
let bound: string;
let unbound: string;
let app: NestExpressApplication | undefined;
let url = '';

beforeAll(async () => {
  jwk = await generateJwk('HS256', '1');
  keys = writeKeys([jwk]);
  backend = await startBackend();
  await backend.answer('/', { body: {} });
  client = await createDpopClient();
  bound = await tokenOf(jwk, { cnf: client.cnf });
  unbound = await tokenOf(jwk);
});
afterAll(() => backend.stop());
afterEach(async () => {
  vi.useRealTimers();
  await app?.close();
  app = undefined;
});

@Controller()
@RequireJwt()
class Routes {
  constructor(private readonly backendClient: BackendClient) {}
  @Get('route') @RequireJwt() get(@Claims('sub') sub: string): object {
    return { sub };
  }
  @Post('route') @RequireJwt() post(): object {
    return {};
  }
  @Get('scoped') @RequireJwt({ scopes: ['read'] }) scoped(): object {
    return {};
  }
  @Get('required') @RequireJwt({ dpop: 'required' }) required(): object {
    return {};
  }
  @Get('off') @RequireJwt({ dpop: false }) off(): object {
    return {};
  }
  @Get('optional') @RequireJwt({ optional: true }) optional(@Claims('sub') sub?: string): object {
    return { sub: sub ?? null };
  }
  @Get('forward') @RequireJwt() async forward(@Req() from: IncomingMessage): Promise<object> {
    return (await this.backendClient.call<object>({ path: '/', from })).body;
  }
}

interface Boot {
  options?: Partial<AuthModuleOptions>;
  controller?: Type;
  /** Express' `trust proxy`. */
  trustProxy?: boolean | number | string;
  explain?: boolean;
  httpsOptions?: object;
  state?: boolean;
}

async function boot({
  options = {},
  controller = Routes,
  trustProxy,
  explain = true,
  httpsOptions,
  state = true,
}: Boot = {}): Promise<void> {
  @Module({
    imports: [
      BackendModule.forRoot({
        host: backend.url,
        inputHeaders: ['dpop', 'authorization', 'x-kept'],
      }),
      JwksModule.forRoot({ signing: { path: keys }, reloadIntervalMs: 0 }),
      ...(state ? [StateModule.forRoot({ url: 'memory:', longestTokenTtl: 60 })] : []),
      AuthModule.forRoot({ algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE, ...options }),
    ],
    controllers: [controller],
  })
  class App {}
  app = await NestFactory.create<NestExpressApplication>(App, {
    logger: false,
    abortOnError: false,
    httpsOptions,
  });
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  app.useGlobalFilters(new ErrorFilter({ explain }));
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  url = `http${httpsOptions === undefined ? '' : 's'}://127.0.0.1:${port}`;
}

const show = ({ status, json }: Answer): string =>
  typeof json.code === 'string' ? `${status} ${json.code}` : String(status);
const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  call(`${url}/${path}`, { method, headers });
const proven = async (path: string, changes: object = {}, token = bound): Promise<Answer> =>
  get(path, await client.headers(token, `${url}/${path}`, 'GET', changes));
const challengeOf = ({ headers }: Answer): string => headers.get('www-authenticate') ?? '';
const ALGS = 'algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519 ML-DSA-44"';

describe('a bound token', () => {
  it('opens a route with a proof, once', async () => {
    await boot();
    const headers = await client.headers(bound, `${url}/route`);
    const first = await get('route', headers);
    expect([first.status, first.json, first.headers.get('dpop-nonce')]).toEqual([200, { sub: 'u1' }, null]);
    const again = await get('route', headers);
    expect(show(again)).toBe('401 dpop_proof_reused');
    expect(again.json.error).toBe('invalid_dpop_proof');
    expect(show(await proven('route'))).toBe('200');
  }); // prettier-ignore

  it('opens it with a scheme in any case, and a query that the proof does not name', async () => {
    await boot();
    for (const scheme of ['dpop', 'DPOP']) {
      const { dpop } = await client.headers(bound, `${url}/route`);
      expect(show(await get('route?a=1', { authorization: `${scheme} ${bound}`, dpop }))).toBe('200');
    }
  }); // prettier-ignore

  it('is refused without it, by other schemes, and for other requests', async () => {
    await boot();
    const { dpop } = await client.headers(bound, `${url}/route`);
    const verdicts: [string, Record<string, string>, string][] = [
      ['GET', { authorization: `Bearer ${bound}` }, '401 dpop_scheme_needed'],
      ['GET', { authorization: `Bearer ${bound}`, dpop }, '401 dpop_scheme_needed'],
      ['GET', { authorization: `DPoP ${bound}` }, '401 dpop_proof_missing'],
      ['GET', { authorization: `DPoP ${bound}`, dpop: '' }, '401 dpop_proof_missing'],
      ['GET', { authorization: `DPoP ${bound}`, dpop: bound }, '401 dpop_proof_invalid'],
      ['GET', { authorization: `DPoP ${unbound}`, dpop }, '401 dpop_token_unbound'],
      ['GET', { authorization: `Bearer ${unbound}`, dpop: 'whatever' }, '200'],
      ['POST', { authorization: `DPoP ${bound}`, dpop }, '401 dpop_proof_mismatch'],
      ['GET', { dpop }, '401 token_missing'],
      ['GET', { authorization: `DPoP ${bound}`, dpop }, '200'],
    ];
    for (const [method, headers, verdict] of verdicts)
      expect(show(await get('route', headers, method))).toBe(verdict);
    const other = await createDpopClient();
    expect(show(await get('route', await other.headers(bound, `${url}/route`)))).toBe('401 dpop_key_mismatch');
    expect(show(await proven('off'))).toBe('401 dpop_disabled');
    expect(show(await get('required', { authorization: `Bearer ${unbound}` }))).toBe('401 dpop_token_unbound');
    expect(show(await proven('required'))).toBe('200');
    expect(show(await get('optional', { authorization: `Bearer ${bound}` }))).toBe('401 dpop_scheme_needed');
    expect((await proven('optional')).json).toEqual({ sub: 'u1' });
  }); // prettier-ignore

  it('is refused by a cookie, which no script can send a proof with', async () => {
    await boot({ options: { cookieKey: 'session' } });
    const { dpop } = await client.headers(bound, `${url}/route`);
    expect(show(await get('route', { cookie: `session=${bound}`, dpop }))).toBe('401 dpop_scheme_needed');
    expect(show(await get('route', { cookie: `session=${unbound}` }))).toBe('200');
  }); // prettier-ignore

  it('never reaches a backend, nor does its proof', async () => {
    await boot();
    await get('forward', {
      ...(await client.headers(bound, `${url}/forward`)),
      'x-kept': '1',
    });
    const seen = backend.seen.at(-1)?.headers;
    expect([seen?.dpop, seen?.authorization, seen?.['x-kept']]).toEqual([undefined, undefined, '1']);
  }); // prettier-ignore
});

describe('challenges (RFC 9449 sections 7.1 and 7.2)', () => {
  const BEARER = 'Bearer realm="signet"';
  const invalid = 'error="invalid_token", error_description="The token is not accepted."';
  const noProof = 'error="invalid_dpop_proof", error_description="The DPoP proof is not accepted."';
  const scope =
    'error="insufficient_scope", error_description="The token does not grant access to this resource."';
  const read = 'scope="read"';

  it.each<[string, string, () => Promise<Record<string, string>>, string]>([
    ['no token', 'route', async () => ({}), `${BEARER}, DPoP ${ALGS}`],
    ['a bearer token', 'route', async () => ({ authorization: 'Bearer x' }), `${BEARER}, ${invalid}, DPoP ${ALGS}`],
    ['a bound token by Bearer', 'route', async () => ({ authorization: `Bearer ${bound}` }), `${BEARER}, ${invalid}, DPoP ${ALGS}`],
    ['a token by DPoP', 'route', async () => ({ authorization: 'DPoP x' }), `${BEARER}, DPoP ${invalid}, ${ALGS}`],
    ['an unbound token by DPoP', 'route', async () => ({ authorization: `DPoP ${unbound}` }), `${BEARER}, DPoP ${invalid}, ${ALGS}`],
    ['a proof', 'route', async () => client.headers(bound, `${url}/x`), `${BEARER}, DPoP ${noProof}, ${ALGS}`],
    ['the key of a proof', 'route', async () => (await createDpopClient()).headers(bound, `${url}/route`), `${BEARER}, DPoP ${invalid}, ${ALGS}`],
    ['a scope by Bearer', 'scoped', async () => ({ authorization: `Bearer ${unbound}` }), `${BEARER}, ${scope}, ${read}, DPoP ${ALGS}, ${read}`],
    ['a scope by DPoP', 'scoped', async () => client.headers(bound, `${url}/scoped`), `${BEARER}, ${read}, DPoP ${scope}, ${ALGS}, ${read}`],
    ['no token where one has to be bound', 'required', async () => ({}), `DPoP ${ALGS}`],
    ['a bearer token where one has to be bound', 'required', async () => ({ authorization: `Bearer ${unbound}` }), `DPoP ${invalid}, ${ALGS}`],
    ['no token where none can be bound', 'off', async () => ({}), BEARER],
    ['a token by DPoP where none can be bound', 'off', async () => ({ authorization: `DPoP ${bound}` }), `${BEARER}, ${invalid}`],
  ])('for %s', async (_name, path, headers, challenge) => {
    await boot();
    expect(challengeOf(await get(path, await headers()))).toBe(challenge);
  }); // prettier-ignore

  it('name the algorithms that the route accepts', async () => {
    await boot({ options: { dpopAlgorithms: ['PS256', 'EdDSA'] } });
    expect(challengeOf(await get('route'))).toContain('DPoP algs="PS256 EdDSA"');
    expect(show(await proven('route'))).toBe('401 dpop_proof_invalid');
  });

  it('tell of a token that is refused nothing but that, and of a proof what is wrong with it', async () => {
    await boot({ explain: false });
    const answers = [
      await get('route', { authorization: `Bearer ${bound}` }),
      await get('route', { authorization: 'Bearer x' }),
    ];
    const bodies = answers.map(({ json: { request_id: _id, ...body } }) => JSON.stringify(body));
    expect(new Set(bodies)).toHaveLength(1);
    expect(new Set(answers.map(challengeOf))).toHaveLength(1);
    expect(answers[0]?.json).toMatchObject({ error: 'invalid_token', code: 'invalid_token' });
    const mismatch = await proven('route', { htm: 'PUT' });
    expect(mismatch.json).toMatchObject({
      error: 'invalid_dpop_proof',
      code: 'dpop_proof_mismatch',
      error_description: 'The DPoP proof is not accepted.',
    });
  });
});

describe('the URL of a proof (htu)', () => {
  const at = async (htu: string, headers: Record<string, string> = {}): Promise<string> => {
    const own = await client.headers(bound, htu);
    return show(await get('route', { ...own, ...headers }));
  };
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gw.example' };

  it('is what the client addressed, and nothing that it writes into headers of proxies', async () => {
    await boot();
    expect(await at(`${url}/route`, forwarded)).toBe('200');
    expect(await at('https://gw.example/route', forwarded)).toBe('401 dpop_proof_mismatch');
    expect(await at(`${url.replace('http', 'HTTP')}/./%72oute?q#f`)).toBe('200');
  });

  it('is what a trusted proxy tells', async () => {
    await boot({ trustProxy: 'loopback' });
    expect(await at('https://gw.example/route', forwarded)).toBe('200');
    expect(await at(`${url}/route`, forwarded)).toBe('401 dpop_proof_mismatch');
    expect(await at(`${url}/route`)).toBe('200');
  });

  it('is below the public URL, whatever headers say', async () => {
    await boot({ trustProxy: true, options: { publicUrl: 'https://Public.example/base/' } });
    expect(await at('https://public.example/base/route')).toBe('200');
    expect(await at('https://public.example/base/route', forwarded)).toBe('200');
    expect(await at('https://gw.example/route', forwarded)).toBe('401 dpop_proof_mismatch');
    expect(await at(`${url}/route`)).toBe('401 dpop_proof_mismatch');
  });

  it('cannot be hidden behind a host that holds a path', async () => {
    await boot();
    // A proof that was made for another route of the same host.
    const { dpop } = await client.headers(bound, 'http://gw.example/public');
    const answer = await exchange(
      url,
      `GET /route HTTP/1.1\r\nHost: gw.example/public?\r\nConnection: close\r\nAuthorization: DPoP ${bound}\r\nDPoP: ${dpop}\r\n\r\n`,
    );
    expect(answer.status).not.toBe(200);
  });

  it('is that of the target where a proxy writes the whole URL there', async () => {
    await boot();
    const ask = async (htu: string): Promise<string> =>
      show(
        await exchange(
          url,
          `GET http://gw.example/route?x HTTP/1.1\r\nHost: other\r\nConnection: close\r\nAuthorization: DPoP ${bound}\r\nDPoP: ${await client.prove(bound, htu)}\r\n\r\n`,
        ),
      );
    expect(await ask('http://gw.example/route')).toBe('200');
    expect(await ask('http://other/route')).toBe('401 dpop_proof_mismatch');
  });
});

describe('hostile requests', () => {
  const raw = async (...proofs: string[]): Promise<Answer> =>
    exchange(
      url,
      `GET /route HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\nAuthorization: DPoP ${bound}\r\n${proofs.map((proof) => `DPoP: ${proof}\r\n`).join('')}\r\n`,
    );

  it('with two proofs are refused, in two headers or in one', async () => {
    await boot();
    const proof = (): Promise<string> => client.prove(bound, `${url}/route`);
    expect(show(await raw(await proof()))).toBe('200');
    const twice = await raw(await proof(), await proof());
    expect([show(twice), twice.json.error]).toEqual(['401 dpop_proof_invalid', 'invalid_dpop_proof']);
    expect(show(await raw(`${await proof()}, ${await proof()}`))).toBe('401 dpop_proof_invalid');
    expect(show(await raw('', await proof()))).toMatch(/^401 dpop_proof_/);
  }); // prettier-ignore

  it('with headers that are too long are refused', async () => {
    await boot();
    expect(show(await raw('x'.repeat(10_000)))).toBe('401 dpop_proof_invalid');
    expect((await raw('x'.repeat(20_000))).status).toBe(431);
    const jti = 'j'.repeat(3000);
    expect(show(await proven('route', { jti }))).toBe('200');
    expect(show(await proven('route', { jti }))).toBe('401 dpop_proof_reused');
  });

  it('at the same time with one proof: one of them gets in', async () => {
    await boot();
    const headers = await client.headers(bound, `${url}/route`);
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('route', headers)));
    expect(answers.map(show).toSorted()).toEqual(['200', ...Array(19).fill('401 dpop_proof_reused')]);
  }); // prettier-ignore
});

describe('the clock of a proof', () => {
  const T = 1_900_000_000;
  const setNow = (seconds: number): void =>
    void vi.useFakeTimers({ toFake: ['Date'], now: seconds * 1000 });

  it('is accepted to the last second of the window, and remembered beyond it', async () => {
    setNow(T);
    await boot({ options: { dpopWindow: 30, leeway: 5 } });
    const token = await tokenOf(jwk, { cnf: client.cnf });
    const at = async (iat: number): Promise<string> => show(await proven('route', { iat }, token));
    expect([await at(T - 36), await at(T - 35), await at(T + 35), await at(T + 36)]).toEqual([
      '401 dpop_proof_expired',
      '200',
      '200',
      '401 dpop_proof_expired',
    ]);
    // Made ahead of time: it is accepted for as long as any can be, once.
    const headers = await client.headers(token, `${url}/route`, 'GET', { iat: T + 35 });
    expect(show(await get('route', headers))).toBe('200');
    for (const [later, verdict] of [
      [69, '401 dpop_proof_reused'],
      [70, '401 dpop_proof_reused'],
      [71, '401 dpop_proof_expired'],
    ] as const) {
      setNow(T + later);
      expect(`${later}: ${show(await get('route', headers))}`).toBe(`${later}: ${verdict}`);
    }
    // A clock that is put back does not make it good again.
    setNow(T + 60);
    expect(show(await get('route', headers))).toBe('401 dpop_proof_reused');
  });

  it('does not matter with a nonce, which dates the proof', async () => {
    setNow(T);
    await boot({ options: { dpopNonce: true } });
    const token = await tokenOf(jwk, { cnf: client.cnf });
    const refused = await proven('route', { iat: 1 }, token);
    expect([show(refused), refused.json.error]).toEqual(['401 dpop_nonce_needed', 'use_dpop_nonce']);
    expect(challengeOf(refused)).toMatch(/, DPoP error="use_dpop_nonce", error_description="[^"]+", algs=/);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    const nonce = refused.headers.get('dpop-nonce') ?? '';
    expect(nonce).toMatch(/^[\w-]{22}$/);
    const using = (iat: number): Promise<Answer> => proven('route', { iat, nonce }, token);
    const good = await using(1);
    expect([show(good), good.headers.get('dpop-nonce'), good.headers.get('cache-control')]).toEqual(['200', nonce, 'no-store']);
    const headers = await client.headers(token, `${url}/route`, 'GET', { nonce });
    expect(show(await get('route', headers))).toBe('200');
    // Good in the next period, too, where another one is handed out.
    setNow(T + 120);
    const next = await using(1);
    expect(show(next)).toBe('200');
    expect(next.headers.get('dpop-nonce')).not.toBe(nonce);
    for (const later of [0, 119, 239]) {
      setNow(T + later);
      expect(`${later}: ${show(await get('route', headers))}`).toMatch(/dpop_proof_reused|dpop_nonce_needed/);
    }
    setNow(T + 360);
    expect(show(await using(T + 360))).toBe('401 dpop_nonce_needed');
    expect(show(await get('route', { authorization: `Bearer ${unbound}` }))).toMatch(/^401/);
  }); // prettier-ignore
});

describe('oauth4webapi, as it comes from npm', () => {
  it('calls a protected route, and follows the nonces', async () => {
    const keyPair = await oauth.generateKeyPair('ES256');
    const DPoP = oauth.DPoP({}, keyPair);
    const cnf = { jkt: await DPoP.calculateThumbprint() };
    const token = await tokenOf(jwk, { cnf });
    const request = (method = 'GET'): Promise<Response> =>
      oauth.protectedResourceRequest(token, method, new URL(`${url}/route?x=1`), undefined, undefined, {
        DPoP,
        [oauth.allowInsecureRequests]: true,
      }); // prettier-ignore
    await boot();
    expect((await request()).status).toBe(200);
    expect((await request('POST')).status).toBe(201);
    await app?.close();

    await boot({ options: { dpopNonce: true } });
    const first = await request().catch((error: unknown) => error);
    expect(oauth.isDPoPNonceError(first)).toBe(true);
    expect((await request()).status).toBe(200);
    expect((await request()).status).toBe(200);
  });

  it.each(['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'] as const)('proves with %s', async (alg) => {
    await boot();
    const keyPair = await oauth.generateKeyPair(alg);
    const DPoP = oauth.DPoP({}, keyPair);
    const token = await tokenOf(jwk, { cnf: { jkt: await DPoP.calculateThumbprint() } });
    const response = await oauth.protectedResourceRequest(
      token,
      'GET',
      new URL(`${url}/required`),
      undefined,
      undefined,
      { DPoP, [oauth.allowInsecureRequests]: true },
    );
    expect(response.status).toBe(200);
  }); // prettier-ignore

  it('reads the challenges', async () => {
    await boot();
    const refused = await oauth
      .protectedResourceRequest('x', 'GET', new URL(`${url}/route`), undefined, undefined, {
        [oauth.allowInsecureRequests]: true,
      })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    const { cause } = refused as oauth.WWWAuthenticateChallengeError;
    expect(cause.map(({ scheme, parameters }) => [scheme, parameters.error])).toEqual([
      ['bearer', 'invalid_token'],
      ['dpop', undefined],
    ]);
    expect(cause[1]?.parameters.algs).toContain('ES256');
  });
});

describe('a token that is bound to a client certificate', () => {
  const own = createCertificate('client');
  const other = createCertificate('other');
  const thumbprintOf = async (pem: string): Promise<string> => {
    const der = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    return Buffer.from(await crypto.subtle.digest('SHA-256', der)).toString('base64url');
  };
  const token = async (): Promise<string> =>
    tokenOf(jwk, { cnf: { 'x5t#S256': await thumbprintOf(own.cert) } });
  const escaped = (pem: string): Record<string, string> => ({
    'x-client-cert': encodeURIComponent(pem),
  });
  const bearer = async (headers: Record<string, string> = {}): Promise<Answer> =>
    get('route', { authorization: `Bearer ${await token()}`, ...headers });

  it('is accepted with it in the header of a trusted proxy', async () => {
    await boot({ trustProxy: 1, options: { mtlsHeader: 'X-Client-Cert' } });
    expect(show(await bearer(escaped(own.cert)))).toBe('200');
    const wrong = await bearer(escaped(other.cert));
    expect([show(wrong), wrong.json.error]).toEqual(['401 claim_invalid', 'invalid_token']);
    expect(show(await bearer())).toBe('401 claim_invalid');
    expect(show(await bearer({ 'x-client-cert': 'x' }))).toBe('401 claim_invalid');
    const twice = await exchange(
      url,
      `GET /route HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${await token()}\r\n${`X-Client-Cert: ${encodeURIComponent(own.cert)}\r\n`.repeat(2)}\r\n`,
    );
    expect(show(twice)).toBe('401 claim_invalid');
  });

  it('is refused where the header is not that of a trusted proxy, or not named', async () => {
    await boot({ options: { mtlsHeader: 'x-client-cert' } });
    const refused = await bearer(escaped(own.cert));
    expect(show(refused)).toBe('401 claim_invalid');
    expect(refused.json.error_description).toContain("'trust proxy'");
    await app?.close();
    await boot({ trustProxy: '10.0.0.1', options: { mtlsHeader: 'x-client-cert' } });
    expect(show(await bearer(escaped(own.cert)))).toBe('401 claim_invalid');
    await app?.close();
    await boot({ trustProxy: true });
    expect(show(await bearer(escaped(own.cert)))).toBe('401 claim_invalid');
    expect(show(await get('route', { authorization: `Bearer ${unbound}` }))).toBe('200');
  });

  /** Over TLS with a certificate, maybe. */
  const overTls = async (certificate?: { cert: string; key: string }, headers = {}): Promise<number> => {
    const authorization = `Bearer ${await token()}`;
    return new Promise((resolve, reject) => {
      httpsRequest(
        `${url}/route`,
        { ...certificate, agent: false, rejectUnauthorized: false, headers: { authorization, ...headers } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      )
        .on('error', reject)
        .end();
    });
  }; // prettier-ignore

  it('is accepted on a TLS connection with it, which Node terminates', async () => {
    const { key, cert } = createCertificate('server');
    const httpsOptions = { key, cert, requestCert: true, rejectUnauthorized: false };
    await boot({ httpsOptions });
    expect(await overTls(own)).toBe(200);
    expect(await overTls(other)).toBe(401);
    expect(await overTls()).toBe(401);
    expect(await overTls(other, escaped(own.cert))).toBe(401);
    await app?.close();
    // The certificate of a proxy is not that of its client.
    await boot({ httpsOptions, trustProxy: true, options: { mtlsHeader: 'x-client-cert' } });
    expect(await overTls(other, escaped(own.cert))).toBe(200);
    expect(await overTls(own)).toBe(401);
  });
});

describe('boot', () => {
  const routeWith = (options: RequireJwtOptions): Type => {
    @Controller()
    class One {
      @Get('one') @RequireJwt(options) one(): object {
        return {};
      }
    }
    return One;
  };

  it.each<[string, Boot, RegExp]>([
    ['dpop on a route', { controller: routeWith({ dpop: true }) }, /GET \/one .*'dpop' needs StateModule/],
    ['dpop required on a route', { controller: routeWith({ dpop: 'required' }) }, /'dpop' needs StateModule/],
    ['dpop in the module', { controller: routeWith({}), options: { dpop: true } }, /'dpop' needs StateModule/],
  ])('is refused for %s without StateModule', async (_name, how, problem) => {
    await expect(boot({ ...how, state: false })).rejects.toThrow(problem);
  }); // prettier-ignore

  it('goes on without StateModule where nobody asked; bound tokens are refused then', async () => {
    await boot({ controller: routeWith({}), state: false });
    expect(show(await get('one', { authorization: `Bearer ${unbound}` }))).toBe('200');
    expect(show(await proven('one'))).toBe('401 dpop_disabled');
    expect(challengeOf(await get('one'))).toBe('Bearer realm="signet"');
  });

  it('is refused for a header name that is none', async () => {
    await expect(boot({ options: { mtlsHeader: 'x y' } })).rejects.toThrow(/'mtlsHeader'/);
  });
});
