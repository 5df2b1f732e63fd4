// What a route, or an issuer of a route, may say of its keys for itself: each option with its effect, beside a
// route without it.
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import type { JWK } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt, type RequireJwtOptions } from '../src/auth/index.js';
import type { KeySource, KeySourceOptions } from '../src/core/keys/index.js';
import { JwkKeyStore, JwksModule } from '../src/jwks/index.js';
import { createCertificate } from './helpers/network/certificate.js';
import { callWith } from './helpers/network/http.js';
import { AUDIENCE, hang, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { startIssuerServer, type IssuerServer } from './helpers/issuers/issuer-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { startNestApp } from './helpers/apps/nest-app.js';
import { verdictOf } from './helpers/sessions/sessions.js';

const authority = createCertificate('Test CA');
const leaf = createCertificate('jwks.test', authority.authority);
const stranger = createCertificate('stranger');
const TLS = { cert: leaf.cert + authority.cert, key: leaf.key };
const CA = { ca: authority.cert };
const THUMBPRINT = 'cert-1';
const AWAY = '503 keys_unavailable';

let secret: JWK, key: JWK, fresh: JWK;
let app: INestApplication | undefined;
let url = '';
const servers: IssuerServer[] = [];

beforeAll(async () => {
  secret = await generateJwk('HS256', 'own');
  [key, fresh] = [await generateJwk('ES256', 'k1'), await generateJwk('ES256', 'k2')];
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await Promise.all(servers.splice(0).map((server) => server.down()));
});

const options = { algorithms: ['ES256'] } as const;
/** The ways to say whose keys a route takes, and what they come to. */
const FORMS = {
  jwkUrl: (server, remote) => [
    { ...options, issuer: server.issuer, jwkUrl: server.url, remote },
    { url: server.url, options: remote },
  ],
  'issuers with jwksUri': ({ issuer, url: jwksUri }, remote) => [
    { issuers: [{ ...options, issuer, jwksUri, remote }] },
    { url: jwksUri, options: remote },
  ],
  'issuers by name': ({ issuer }, remote) => [
    { issuers: [{ ...options, issuer, remote }] },
    { discover: issuer, options: remote },
  ],
} satisfies Record<
  string,
  (server: IssuerServer, remote: KeySourceOptions) => [RequireJwtOptions, KeySource]
>;

/** A route and the server of its keys. */
interface Side {
  server: IssuerServer;
  /** What becomes of a token of the server's issuer. */
  ask: (signer?: JWK, header?: object) => Promise<string>;
  /** Why there are no keys. */
  problem: () => string | undefined;
}

async function boot(one: RequireJwtOptions, other: RequireJwtOptions = one): Promise<JwkKeyStore> {
  @Controller()
  class Routes {
    @Get('with') @RequireJwt(one) with(): string {
      return 'with';
    }
    @Get('without') @RequireJwt(other) without(): string {
      return 'without';
    }
  }
  @Module({
    imports: [
      JwksModule.forRoot({ signing: { path: writeKeys([secret]) } }),
      AuthModule.forRoot({ algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
    ],
    controllers: [Routes],
  })
  class App {}
  ({ app, url } = await startNestApp(App));
  return app.get(JwkKeyStore);
}

interface Row {
  option: string;
  with: KeySourceOptions;
  /** Default: nothing. */
  without?: KeySourceOptions;
  tls?: boolean;
  prepare?: (server: IssuerServer) => void;
  check: (routes: { with: Side; without: Side }) => Promise<void>;
}
const verdicts = async (routes: { with: Side; without: Side }, ...token: Parameters<Side['ask']>) =>
  Promise.all([routes.with.ask(...token), routes.without.ask(...token)]);
const http = { httpHosts: ['127.0.0.1'] };

const ROWS: Row[] = [
  {
    option: 'ca',
    tls: true,
    with: CA,
    check: async (routes) => {
      expect(await verdicts(routes)).toEqual(['200', AWAY]);
      expect(routes.without.problem()).toMatch(/certificate is not trusted/);
    },
  },
  {
    option: 'fingerprints, of the server’s own certificate',
    tls: true,
    with: { ...CA, fingerprints: [stranger.pin, leaf.pin] },
    without: { ...CA, fingerprints: [stranger.pin] },
    check: async (routes) => {
      expect(await verdicts(routes)).toEqual(['200', AWAY]);
      expect(routes.without.problem()).toMatch(/matches none of the fingerprints/);
    },
  },
  {
    option: 'fingerprints, of any certificate of the chain',
    tls: true,
    with: { ...CA, fingerprints: [authority.pin], fingerprintsMatch: 'chain' },
    without: { ...CA, fingerprints: [authority.pin] },
    check: async (routes) => {
      expect(await verdicts(routes)).toEqual(['200', AWAY]);
    },
  },
  {
    option: 'fingerprints, of no certificate of the chain',
    tls: true,
    with: { ...CA, fingerprints: [stranger.pin], fingerprintsMatch: 'chain' },
    without: CA,
    check: async (routes) => {
      expect(await verdicts(routes)).toEqual([AWAY, '200']);
    },
  },
  {
    option: 'identifyStrategy',
    with: { ...http, identifyStrategy: 'x5t#S256' },
    without: http,
    prepare: (server) => server.publish([{ ...publicHalf(key), 'x5t#S256': THUMBPRINT }]),
    check: async (routes) => {
      const byThumbprint = { kid: 'other', 'x5t#S256': THUMBPRINT };
      expect(await verdicts(routes, key, byThumbprint)).toEqual(['200', '401 key_not_found']);
      expect(await verdicts(routes, key)).toEqual(['401 key_not_found', '200']);
    },
  },
  {
    option: 'cacheTtl',
    with: { ...http, cacheTtl: 0.1 },
    without: http,
    check: async ({ with: one, without: other }) => {
      const { length } = other.server.fetches;
      await expect.poll(() => one.server.fetches.length).toBeGreaterThan(length + 4);
      expect(other.server.fetches).toHaveLength(length);
    },
  },
  {
    option: 'cooldown',
    with: { ...http, cooldown: 0 },
    without: http,
    check: async (routes) => {
      for (const { server } of Object.values(routes))
        server.publish([publicHalf(key), publicHalf(fresh)]);
      expect(await verdicts(routes, fresh)).toEqual(['200', '401 key_not_found']);
      expect(await verdicts(routes)).toEqual(['200', '200']);
    },
  },
  {
    option: 'maxStaleSeconds',
    with: { ...http, cacheTtl: 0.1, cooldown: 0, maxStaleSeconds: 0 },
    without: { ...http, cacheTtl: 0.1, cooldown: 0 },
    check: async (routes) => {
      await Promise.all(Object.values(routes).map(({ server }) => server.down()));
      await expect.poll(() => routes.with.ask()).toBe(AWAY);
      await expect.poll(() => routes.without.problem()).toMatch(/last good keys stay in use/);
      expect(await routes.without.ask()).toBe('200');
    },
  },
  {
    option: 'timeoutMs',
    with: { ...http, timeoutMs: 50 },
    without: http,
    prepare: (server) => server.serve(hang),
    check: async (routes) => {
      expect(await verdicts(routes)).toEqual([AWAY, AWAY]);
      expect(routes.with.problem()).toMatch(/no complete answer within 50 ms/);
      expect(routes.without.problem()).toMatch(/no complete answer within 2000 ms/);
    },
  },
];

describe.each(Object.entries(FORMS))('a route with keys of its own, by %s', (_name, form) => {
  it.each(ROWS)('$option', async ({ with: option, without = {}, tls, prepare, check }) => {
    const made = [];
    for (const remote of [option, without]) {
      const server = await startIssuerServer([key], tls === true ? TLS : undefined);
      servers.push(server);
      prepare?.(server);
      const [route, source] = form(server, remote);
      made.push({ server, route, source });
    }
    const [one, other] = made as [(typeof made)[0], (typeof made)[0]];
    const store = await boot(one.route, other.route);
    const side = ({ server, source }: typeof one, path: string): Side => ({
      server,
      ask: async (signer = key, header = {}) =>
        verdictOf(
          await callWith(`${url}/${path}`, await tokenOf(signer, { iss: server.issuer }, header)),
        ),
      problem: () => store.inventory(source).problem,
    });
    const routes = { with: side(one, 'with'), without: side(other, 'without') };
    await expect(check(routes)).resolves.toBeUndefined();
  });

  it('httpHosts, without which the boot is refused', async () => {
    const server = await startIssuerServer([key]);
    servers.push(server);
    const [route] = form(server, {});
    await expect(boot(route)).rejects.toThrow(/must be https/);
  });
});

it('identifyStrategy is for a file of a route, too', async () => {
  const jwkLocalPath = writeKeys([{ ...publicHalf(key), 'x5t#S256': THUMBPRINT }]);
  const remote = { identifyStrategy: 'x5t#S256' } as const;
  await boot({ ...options, jwkLocalPath, remote }, { ...options, jwkLocalPath });
  const token = await tokenOf(key, {}, { kid: 'other', 'x5t#S256': THUMBPRINT });
  const [one, other] = [
    await callWith(`${url}/with`, token),
    await callWith(`${url}/without`, token),
  ];
  expect([verdictOf(one), verdictOf(other)]).toEqual(['200', '401 key_not_found']);
});

it('issuers are looked for at the same time', async () => {
  const both = [await startIssuerServer([key]), await startIssuerServer([key])] as const;
  servers.push(...both);
  const answers: (() => void)[] = [];
  for (const { issuer, ...server } of both)
    server.serve(({ url: path = '' }, response) => {
      const answer = (): void =>
        void response
          .setHeader('content-type', 'application/json')
          .end(
            JSON.stringify(
              path === '/jwks' ? { keys: [publicHalf(key)] } : { issuer, jwks_uri: server.url },
            ),
          );
      if (path === '/jwks') return answer();
      // Nobody is answered before both were asked.
      answers.push(answer);
      if (answers.length === 2) for (const each of answers) each();
    });
  await boot({ issuers: both.map(({ issuer }) => ({ ...options, issuer, remote: http })) });
  for (const { issuer: iss } of both)
    expect(verdictOf(await callWith(`${url}/with`, await tokenOf(key, { iss })))).toBe('200');
});
