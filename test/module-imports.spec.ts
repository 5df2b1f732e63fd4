import { Controller, Get, UseGuards, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { AdminModule } from '../src/admin/index.js';
import { AuthModule, RequireJwt } from '../src/auth/index.js';
import { BackendModule } from '../src/backend/index.js';
import { ClientsModule } from '../src/clients/index.js';
import { ExplainModule, ManagementExplainModule } from '../src/explain/index.js';
import { HealthModule } from '../src/health/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { MetricsModule } from '../src/metrics/index.js';
import { PrivateModule } from '../src/private/index.js';
import { SessionModule } from '../src/session/index.js';
import { SignFields, SigningModule } from '../src/signing/index.js';
import { StateModule } from '../src/state/index.js';
import { createTestIssuer } from '../src/testing/index.js';
import { Throttled, TokenThrottleGuard } from '../src/throttle/index.js';
import { IntrospectionModule, OAuthModule, TokenModule } from '../src/token/index.js';
import { TracingModule } from '../src/tracing/index.js';
import { ProtectedResourceModule, WellKnownModule } from '../src/well-known/index.js';

type Imports = NonNullable<ModuleMetadata['imports']>;

const { alg, issuer, jwksOptions, authOptions } = createTestIssuer();

/** The modules that others need, by their names. */
const NEEDED = {
  JwksModule: () => JwksModule.forRoot(jwksOptions),
  StateModule: () => StateModule.forRoot({ url: 'memory:', longestTokenTtl: 60 }),
  BackendModule: () => BackendModule.forRoot({ host: 'http://127.0.0.1:1' }),
  SigningModule: () => SigningModule.forRoot({ alg, issuer }),
  AuthModule: () => AuthModule.forRoot({ ...authOptions, adminRoles: ['admin'] }),
  SessionModule: () => SessionModule.forRoot({}),
  OAuthModule: () => OAuthModule.forRoot({}),
};
type Needed = keyof typeof NEEDED;

const handler = () => undefined;
const DECIDED_HERE = { handler };

/** Each module of routes and around them, beside what its TSDoc says that it needs. */
const MODULES: [name: string, module: Imports[number], needs: Needed[]][] = [
  ['AdminModule', AdminModule, ['JwksModule', 'StateModule', 'AuthModule']],
  ['AuthModule', AuthModule.forRoot(authOptions), ['JwksModule']],
  ['SigningModule', SigningModule.forRoot({ alg }), ['JwksModule']],
  ['ClientsModule', ClientsModule.forRoot({ clients: [], issuer }), ['JwksModule', 'StateModule']],
  ['ExplainModule', ExplainModule, ['JwksModule', 'StateModule', 'AuthModule']],
  ['ManagementExplainModule', ManagementExplainModule, ['JwksModule', 'StateModule', 'AuthModule']],
  ['HealthModule', HealthModule, ['JwksModule', 'StateModule']],
  [
    'IntrospectionModule',
    IntrospectionModule.forRoot({ roles: ['admin'] }),
    ['JwksModule', 'StateModule', 'AuthModule', 'SessionModule'],
  ],
  [
    'MetricsModule',
    MetricsModule.forRoot({ host: '127.0.0.1', port: undefined }),
    ['JwksModule', 'StateModule', 'SigningModule'],
  ],
  [
    'OAuthModule',
    OAuthModule.forRoot({ refresh: DECIDED_HERE }),
    ['JwksModule', 'StateModule', 'AuthModule', 'SessionModule'],
  ],
  [
    'OAuthModule with a backend',
    OAuthModule.forRoot({ refresh: { path: '/refresh' } }),
    ['JwksModule', 'StateModule', 'AuthModule', 'SessionModule', 'BackendModule'],
  ],
  [
    'PrivateModule',
    PrivateModule.forRoot({ path: '/' }),
    ['JwksModule', 'BackendModule', 'AuthModule'],
  ],
  ['ProtectedResourceModule', ProtectedResourceModule, ['JwksModule', 'AuthModule']],
  ['SessionModule', SessionModule.forRoot({}), ['JwksModule', 'StateModule', 'AuthModule']],
  [
    'TokenModule',
    TokenModule.forRoot(DECIDED_HERE),
    ['JwksModule', 'StateModule', 'SigningModule', 'AuthModule', 'SessionModule', 'OAuthModule'],
  ],
  [
    'TokenModule with a backend',
    TokenModule.forRoot({ path: '/' }),
    [
      'JwksModule',
      'StateModule',
      'SigningModule',
      'AuthModule',
      'SessionModule',
      'OAuthModule',
      'BackendModule',
    ],
  ],
  ['TracingModule', TracingModule.forRoot({ endpoint: 'http://127.0.0.1:1' }), []],
  ['WellKnownModule', WellKnownModule.forRoot({ issuer }), ['JwksModule']],
];

/** Boots a module beside those that it needs, in both orders: what is imported first is made first. */
async function boot(module: Imports[number], needs: readonly Needed[], last: boolean) {
  const others = needs.map((name) => NEEDED[name]());
  const imports = last ? [...others, module] : [module, ...others];
  const testing = await Test.createTestingModule({ imports }).compile();
  await testing.close();
}

describe.each(MODULES)('%s', (_name, module, needs) => {
  it.each([true, false])('boots with the modules that it names; after them: %s', async (last) => {
    await expect(boot(module, needs, last)).resolves.toBeUndefined();
  });

  it.each(needs.flatMap((missing) => [[missing, true] as const, [missing, false] as const]))(
    'does not boot without %s, which is named; after the others: %s',
    async (missing, last) => {
      const others = needs.filter((name) => name !== missing);
      await expect(boot(module, others, last)).rejects.toThrow(
        `needs ${missing}: add ${missing}.forRoot(…) to the imports of your root module`,
      );
    },
  );
});

/** What decorators need that is not part of their own module, and what is there beside it. */
const DECORATORS: [what: string, decorator: MethodDecorator, needs: string, beside: Imports][] = [
  ['@RequireJwt()', RequireJwt(), 'AuthModule', [NEEDED.JwksModule()]],
  ['@SignFields()', SignFields(), 'SigningModule', [NEEDED.JwksModule()]],
  [
    '@RequireJwt({ dpop })',
    RequireJwt({ dpop: 'required' }),
    'StateModule',
    [NEEDED.JwksModule(), NEEDED.AuthModule()],
  ],
  [
    '@RequireJwt({ hop })',
    RequireJwt({ hop: { audience: 'https://orders.internal' } }),
    'SigningModule',
    [NEEDED.JwksModule(), NEEDED.AuthModule(), NEEDED.BackendModule()],
  ],
  ['@Throttled({ shared })', Throttled({ limit: 1, shared: true }), 'StateModule', []],
  ['TokenThrottleGuard', UseGuards(TokenThrottleGuard), 'ThrottleModule', []],
];

describe('a route with a decorator whose module is missing', () => {
  it.each(DECORATORS)('%s does not boot', async (_what, decorator, needs, imports) => {
    class Routes {
      route() {
        return {};
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Routes.prototype, 'route') ?? {};
    for (const decorate of [decorator, Get()]) decorate(Routes.prototype, 'route', descriptor);
    Controller()(Routes);
    const booting = Test.createTestingModule({ imports, controllers: [Routes] })
      .compile()
      .then((testing) => testing.createNestApplication().init());
    await expect(booting).rejects.toThrow(
      new RegExp(
        `needs ${needs}\\b.*: add ${needs}\\.forRoot\\(…\\) to the imports of your root module`,
      ),
    );
  });
});

describe('who decides logins', () => {
  const all = Object.keys(NEEDED) as Needed[];
  it.each([
    ['TokenModule', TokenModule.forRoot({}), 'handler'],
    ['TokenModule', TokenModule.forRoot({ path: '/', handler }), 'handler'],
    ['OAuthModule', OAuthModule.forRoot({ refresh: {} }), 'refresh.handler'],
    ['OAuthModule', OAuthModule.forRoot({ refresh: { path: '/', handler } }), 'refresh.handler'],
  ])('%s takes either a backend or a function', async (name, module, option) => {
    const needs = all.filter((one) => one !== name);
    await expect(boot(module, needs, true)).rejects.toThrow(`${name}: give '${option}', or '`);
  });

  it('a module without its options says how to write it', async () => {
    const needs = all.filter((one) => one !== 'OAuthModule');
    await expect(boot(OAuthModule, needs, true)).rejects.toThrow(
      'OAuthModule has no options: import it as OAuthModule.forRoot(…)',
    );
  });
});
