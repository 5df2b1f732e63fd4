import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { afterEach, expect, it } from 'vitest';
import { AuthModule, Claims, RequireJwt } from '../../src/auth/index.js';
import { JwksModule } from '../../src/jwks/index.js';
import { callWith } from '../helpers/network/http.js';
import { AUDIENCE, ISSUER, strangeToken, tokenOf } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { startNestApp } from '../helpers/apps/nest-app.js';
import { audienceOf, startOpenIdProvider, type OpenIdProvider } from '../helpers/issuers/oidc.js';
import { verdictOf } from '../helpers/sessions/sessions.js';

let provider: OpenIdProvider | undefined;
let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  await provider?.stop();
});

it('a real OpenID provider has its RS256 and ES256 tokens accepted, its rotation followed, its absence survived', async () => {
  const op = (provider = await startOpenIdProvider());
  const keys = {
    jwkUrl: op.jwksUri,
    issuer: op.issuer,
    algorithms: ['RS256', 'ES256'],
    rolesKey: 'realm_access.roles',
    rolesKeyIsNested: true,
  } as const;
  @Controller()
  class Routes {
    @Get('clerk')
    @RequireJwt({
      ...keys,
      audience: [audienceOf('RS256'), audienceOf('ES256')],
      roles: ['clerk'],
      scopes: ['read'],
    })
    clerk(@Claims('sub') sub: string): string {
      return sub;
    }
    @Get('boss')
    @RequireJwt({ ...keys, audience: audienceOf('RS256'), roles: ['boss'] })
    boss(): string {
      return 'boss';
    }
  }
  @Module({
    imports: [
      // The default cooldown of 10 s.
      JwksModule.forRoot({
        signing: { path: writeKeys([await generateJwk('HS256', '1')]) },
        remote: { allowHttp: true },
      }),
      AuthModule.forRoot({ algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
    ],
    controllers: [Routes],
  })
  class App {}
  const started = await startNestApp(App);
  app = started.app;
  const { url } = started;
  const ask = async (path: string, token: string): Promise<string> =>
    verdictOf(await callWith(`${url}/${path}`, token));

  const [rs, es] = await Promise.all([op.token('RS256'), op.token('ES256')]);
  expect((await callWith(`${url}/clerk`, rs)).text).toBe('shop');
  expect(await ask('clerk', es)).toBe('200');
  expect(await ask('boss', rs)).toBe('403 roles_missing');
  expect(await ask('boss', es)).toBe('401 audience_mismatch');
  expect(await ask('clerk', await tokenOf(await generateJwk('ES256', '1')))).toBe(
    '401 key_not_found',
  );

  const booted = performance.now();
  const before = await op.fetches();
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 50; i++) await ask('clerk', strangeToken('RS256'));
    }),
  );
  const inWindow = (await op.fetches()) - before;
  expect(inWindow).toBeLessThanOrEqual(1 + Math.floor((performance.now() - booted) / 10_000));

  await op.rotate();
  const rotated = await op.token('ES256');
  await expect.poll(() => ask('clerk', rotated), { timeout: 30_000, interval: 100 }).toBe('200');
  expect((await op.fetches()) - before).toBeLessThanOrEqual(
    1 + Math.floor((performance.now() - booted) / 10_000),
  );
  expect(await ask('clerk', es)).toBe('200');

  await op.stop();
  for (const token of [rs, es, rotated]) expect(await ask('clerk', token)).toBe('200');
  expect(await ask('clerk', strangeToken('ES256'))).toBe('401 key_not_found');
}, 90_000);
