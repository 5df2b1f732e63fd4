import { Controller, Get, Module, type INestApplication, type Type } from '@nestjs/common';
import type { JWK } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt } from '../src/auth/index.js';
import { BootError } from '../src/core/errors/index.js';
import { JwkKeyStore, JwksModule, type KeyUrlOptions } from '../src/jwks/index.js';
import { callWith } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { startNestApp } from './helpers/apps/nest-app.js';

let secret: JWK, ofA: JWK, ofB: JWK, ofFile: JWK;
let app: INestApplication | undefined;
let url = '';
const servers: JwksServer[] = [];

beforeAll(async () => {
  // All of them share one kid, which is what issuers with numbered keys do.
  [secret, ofA, ofB, ofFile] = await Promise.all([
    generateJwk('HS256', '1'),
    generateJwk('ES256', '1'),
    generateJwk('ES256', '1'),
    generateJwk('ES256', '1'),
  ]);
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await Promise.all(servers.splice(0).map((server) => server.down()));
});

async function boot(
  controller: Type,
  remote: KeyUrlOptions = { allowHttp: true },
): Promise<JwkKeyStore> {
  @Module({
    imports: [
      JwksModule.forRoot({ signing: { path: writeKeys([secret]) }, remote, reloadIntervalMs: 0 }),
      AuthModule.forRoot({ algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
    ],
    controllers: [controller],
  })
  class App {}
  ({ app, url } = await startNestApp(App));
  return app.get(JwkKeyStore);
}

async function serve(jwk: JWK): Promise<JwksServer> {
  const server = await startJwksServer([publicHalf(jwk)]);
  servers.push(server);
  return server;
}

const ask = async (path: string, token: string): Promise<string> => {
  const { status, json } = await callWith(`${url}/${path}`, token);
  return typeof json.code === 'string' ? `${status} ${json.code}` : String(status);
};

describe('routes with keys of their own', () => {
  const routes = (a: string, b: string): Type => {
    const es = { algorithms: ['ES256'] } as const;
    @Controller()
    class Routes {
      @Get('own') @RequireJwt() own(): string {
        return 'own';
      }
      @Get('a') @RequireJwt({ ...es, jwkUrl: a, issuer: 'https://a.test' }) a(): string {
        return 'a';
      }
      @Get('b') @RequireJwt({ ...es, jwkUrl: b, issuer: 'https://b.test' }) b(): string {
        return 'b';
      }
      @Get('file')
      @RequireJwt({ ...es, jwkLocalPath: writeKeys([publicHalf(ofFile)]) })
      file(): string {
        return 'file';
      }
    }
    return Routes;
  };

  it('D1: two issuers that share a kid; each token is good on its own route only', async () => {
    const [a, b] = [await serve(ofA), await serve(ofB)];
    await boot(routes(a.url, b.url));
    // An issuer may put into its tokens what it likes, the name of another issuer included.
    const paths = { own: ISSUER, a: 'https://a.test', b: 'https://b.test', file: ISSUER };
    const keys = { own: secret, a: ofA, b: ofB, file: ofFile };
    const seen: Record<string, string> = {};
    for (const [signer, jwk] of Object.entries(keys))
      for (const [path, iss] of Object.entries(paths))
        seen[`${signer} on ${path}`] = await ask(path, await tokenOf(jwk, { iss }));
    const expected = Object.keys(keys).flatMap((signer) =>
      Object.keys(paths).map((path) => [
        `${signer} on ${path}`,
        signer === path
          ? '200'
          : signer === 'own' || path === 'own'
            ? '401 algorithm_not_allowed'
            : '401 signature_invalid',
      ]),
    );
    expect(seen).toEqual(Object.fromEntries(expected));
    expect([a.fetches.length, b.fetches.length]).toEqual([1, 1]);
  });

  it('share one set, and its fetches, where they name one source', async () => {
    const a = await serve(ofA);
    await boot(routes(a.url, a.url.replace('http:', 'HTTP:')));
    expect(await ask('a', await tokenOf(ofA, { iss: 'https://a.test' }))).toBe('200');
    expect(await ask('b', await tokenOf(ofA, { iss: 'https://b.test' }))).toBe('200');
    expect(a.fetches).toHaveLength(1);
  });

  it('answer 503 until their set arrives, while others work', async () => {
    const [a, b] = [await serve(ofA), await serve(ofB)];
    await b.down();
    const store = await boot(routes(a.url, b.url));
    const token = await tokenOf(ofB, { iss: 'https://b.test' });
    expect(await ask('b', token)).toBe('503 keys_unavailable');
    expect(await ask('a', await tokenOf(ofA, { iss: 'https://a.test' }))).toBe('200');
    expect(store.ready()).toBe(false);
    await b.up();
    await expect.poll(() => ask('b', token)).toBe('200');
    expect(store.ready()).toBe(true);
  });

  it('give a set up when it is too old, and take it again', async () => {
    const [a, b] = [await serve(ofA), await serve(ofB)];
    const short = { allowHttp: true, cacheTtl: 0.2, cooldown: 0.1, maxStaleSeconds: 1.5 };
    const store = await boot(routes(a.url, b.url), short);
    const token = await tokenOf(ofA, { iss: 'https://a.test' });
    await a.down();
    const failed = performance.now();
    await expect.poll(() => ask('a', token), { interval: 20 }).toBe('503 keys_unavailable');
    expect(performance.now() - failed).toBeGreaterThan(1400);
    // The process can still serve what needs other keys.
    expect(store.ready()).toBe(true);
    expect(await ask('b', await tokenOf(ofB, { iss: 'https://b.test' }))).toBe('200');
    await a.up();
    await expect.poll(() => ask('a', token)).toBe('200');
  });
});

describe('a route whose keys must not be used stops the boot', () => {
  const refusal = async (options: Parameters<typeof RequireJwt>[0], remote?: KeyUrlOptions) => {
    @Controller()
    class Routes {
      @Get('a') @RequireJwt(options) a(): string {
        return 'a';
      }
    }
    const error: unknown = await boot(Routes, remote ?? {}).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    expect(error).toBeInstanceOf(BootError);
    return (error as BootError).problems;
  };
  const es = { algorithms: ['ES256'] } as const;

  it.each<[string, Parameters<typeof RequireJwt>[0], RegExp]>([
    ['http', { ...es, jwkUrl: 'http://a.test/jwks?key=hush' }, /http:\/\/a\.test\/jwks: must be/],
    ['credentials', { ...es, jwkUrl: 'https://u:hush@a.test/jwks' }, /holds credentials/],
    ['no URL', { ...es, jwkUrl: 'a.test/hush' }, /not an http or https URL/],
    ['a file URL', { ...es, jwkUrl: 'file:///hush' }, /not an http or https URL/],
    ['two sources', { ...es, jwkUrl: 'https://a.test', jwkLocalPath: 'a.json' }, /both set/],
    ['no such file', { ...es, jwkLocalPath: 'missing.json' }, /missing\.json: cannot be read/],
  ])('%s', async (_name, options, reason) => {
    const problems = await refusal(options);
    expect(problems).toEqual([expect.stringMatching(reason)]);
    expect(problems[0]).toMatch(/^GET \/a \(Routes\.a\): /);
    expect(problems[0]).not.toMatch(/hush|\n/);
  });

  it('an algorithm that needs a secret, which must not be published', async () => {
    const { url: jwkUrl } = await serve(ofA);
    expect(await refusal({ jwkUrl }, { allowHttp: true })).toEqual([
      expect.stringMatching(/only public keys are taken from there, and HS256 needs a secret/),
    ]);
  });

  it('pins that prove nothing', async () => {
    const remote = { allowHttp: true, fingerprints: ['A'.repeat(43)] };
    expect(await refusal({ ...es, jwkUrl: 'http://127.0.0.1:1/jwks' }, remote)).toEqual([
      expect.stringMatching(/fingerprints prove nothing without https/),
    ]);
  });
});
