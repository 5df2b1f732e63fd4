import type { ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ThrottlerModule } from '@nestjs/throttler';
import { describe, expect, it } from 'vitest';
import { AdminModule } from '../src/admin/index.js';
import { AuthModule } from '../src/auth/index.js';
import { BackendModule } from '../src/backend/index.js';
import { ClientsModule } from '../src/clients/index.js';
import { ExplainModule } from '../src/explain/index.js';
import { HealthModule } from '../src/health/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { MetricsModule } from '../src/metrics/index.js';
import { PrivateModule } from '../src/private/index.js';
import { SessionModule } from '../src/session/index.js';
import { SigningModule } from '../src/signing/index.js';
import { StateModule } from '../src/state/index.js';
import { createTestIssuer } from '../src/testing/index.js';
import { IntrospectionModule, OAuthModule, TokenModule } from '../src/token/index.js';
import { TracingModule } from '../src/tracing/index.js';
import { WellKnownModule } from '../src/well-known/index.js';

type Imports = NonNullable<ModuleMetadata['imports']>;

const { alg, issuer, jwksOptions, authOptions } = createTestIssuer();

/** The modules that are global, so that the others find them without importing them. */
const GLOBAL = {
  jwks: () => JwksModule.forRoot(jwksOptions),
  state: () => StateModule.forRoot({ url: 'memory:', longestTokenTtl: 60 }),
  backend: () => BackendModule.forRoot({ host: 'http://127.0.0.1:1' }),
  signing: () => SigningModule.forRoot({ alg }),
  auth: () => AuthModule.forRoot({ ...authOptions, adminRoles: ['admin'] }),
  throttler: () => ThrottlerModule.forRoot([{ limit: 1, ttl: 1000 }]),
};
type GlobalName = keyof typeof GLOBAL;

const session = SessionModule.forRoot({ alg, issuer, refreshTyp: 'rt+jwt' });
const oauth = { ...OAuthModule.forRoot({}), imports: [session] };

/** Each module of routes and around them, beside what its TSDoc says that it needs. */
const MODULES: [name: string, imports: Imports, needs: GlobalName[]][] = [
  ['AdminModule', [AdminModule], ['jwks', 'state', 'auth']],
  [
    'ClientsModule',
    [ClientsModule.forRoot({ clients: [], issuer })],
    ['jwks', 'state', 'throttler'],
  ],
  ['ExplainModule', [ExplainModule], ['jwks', 'state', 'auth']],
  ['HealthModule', [HealthModule], ['jwks', 'state']],
  [
    'MetricsModule',
    [MetricsModule.forRoot({ host: '127.0.0.1', port: undefined })],
    ['jwks', 'state', 'backend', 'signing'],
  ],
  [
    'IntrospectionModule',
    [{ ...IntrospectionModule.forRoot({ roles: ['admin'] }), imports: [session] }],
    ['jwks', 'state', 'auth', 'throttler'],
  ],
  ['OAuthModule', [oauth], ['jwks', 'state', 'backend', 'auth', 'throttler']],
  ['PrivateModule', [PrivateModule.forRoot({ path: '/' })], ['jwks', 'backend', 'auth']],
  ['SessionModule', [session], ['jwks', 'state', 'auth']],
  [
    'TokenModule',
    [{ ...TokenModule.forRoot({ path: '/' }), imports: [oauth] }],
    ['jwks', 'state', 'backend', 'signing', 'auth', 'throttler'],
  ],
  ['TracingModule', [TracingModule.forRoot({ endpoint: 'http://127.0.0.1:1' })], ['backend']],
  [
    'WellKnownModule',
    [
      WellKnownModule.forRoot({
        issuer,
        grants: ['password'],
        authMethods: ['none'],
        introspection: [],
        docs: false,
      }),
    ],
    ['jwks'],
  ],
];

const boot = async (imports: Imports, needs: readonly GlobalName[]): Promise<unknown> => {
  const globals = needs.map((name) => GLOBAL[name]());
  const testing = await Test.createTestingModule({ imports: [...globals, ...imports] }).compile();
  await testing.close();
  return testing;
};

describe.each(MODULES)('%s', (_name, imports, needs) => {
  it('boots with the modules that it names', async () => {
    await expect(boot(imports, needs)).resolves.toBeDefined();
  });

  it.each(needs)('does not boot without %s', async (missing) => {
    const others = needs.filter((name) => name !== missing);
    await expect(boot(imports, others)).rejects.toThrow(
      /can't resolve dependencies|needs \w+Module/,
    );
  });
});

describe('modules that only some need', () => {
  it.each([
    ['IntrospectionModule', [IntrospectionModule.forRoot({ roles: ['admin'] })]],
    ['OAuthModule', [OAuthModule.forRoot({})]],
    ['TokenModule', [TokenModule.forRoot({ path: '/' })]],
  ] satisfies [string, Imports][])(
    '%s does not find them where nobody passes them',
    async (_name, imports) => {
      // They are in the application, but not among the imports of the module.
      const all = Object.keys(GLOBAL) as GlobalName[];
      await expect(boot([session, oauth, ...imports], all)).rejects.toThrow(
        /can't resolve dependencies/,
      );
    },
  );
});
