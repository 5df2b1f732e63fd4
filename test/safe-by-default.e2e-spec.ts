import { readFileSync } from 'node:fs';
import {
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
  Req,
  UseGuards,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AuthGuard,
  AuthModule,
  BackendModule,
  BootError,
  Claims,
  JwksModule,
  Public,
  RequireJwt,
  SignFields,
  SigningModule,
  StateModule,
  type AuthModuleOptions,
  type ContextRequest,
  type RequireJwtOptions,
} from '../src/index.js';
import { AUTH_KINDS, REQUIRE_JWT_KINDS } from '../src/auth/auth.module-definition.js';
import { BACKEND_KINDS } from '../src/backend/backend.module-definition.js';
import { ClientsModule } from '../src/clients/index.js';
import { CLIENTS_KINDS } from '../src/clients/clients.module-definition.js';
import { ExplainModule, ManagementExplainModule } from '../src/explain/index.js';
import { EXPLAIN_KINDS } from '../src/explain/explain.module-definition.js';
import { JWKS_KINDS } from '../src/jwks/jwks.module-definition.js';
import { MetricsModule } from '../src/metrics/index.js';
import { METRICS_KINDS } from '../src/metrics/metrics.module-definition.js';
import { SESSION_LIST_KINDS } from '../src/session/session-list.module-definition.js';
import { SESSION_KINDS } from '../src/session/session.module-definition.js';
import { SIGN_FIELDS_KINDS, SIGNING_KINDS } from '../src/signing/signing.module-definition.js';
import { STATE_KINDS } from '../src/state/state.module-definition.js';
import { INTROSPECTION_KINDS } from '../src/token/introspection/introspection.module-definition.js';
import { OAUTH_KINDS } from '../src/token/oauth.module-definition.js';
import { TOKEN_KINDS } from '../src/token/token.module-definition.js';
import { SessionListModule, SessionModule } from '../src/session/index.js';
import { IntrospectionModule, OAuthModule, TokenModule } from '../src/token/index.js';
import { createTestIssuer } from '../src/testing/index.js';
import { ProtectedResourceModule, WellKnownModule } from '../src/well-known/index.js';
import { PROTECTED_RESOURCE_KINDS } from '../src/well-known/protected-resource.module-definition.js';
import { Throttled, ThrottleModule } from '../src/throttle/index.js';
import { THROTTLE_KINDS } from '../src/throttle/throttle.module-definition.js';
import { TracingModule } from '../src/tracing/index.js';
import { TRACING_KINDS } from '../src/tracing/tracing.module-definition.js';
import { WELL_KNOWN_KINDS } from '../src/well-known/well-known.module-definition.js';
import type { OptionKind } from '../src/options/option-kinds.js';
import { call } from './helpers/network/http.js';
import { startNestApp } from './helpers/apps/nest-app.js';

const issuer = createTestIssuer();
const JWKS = JwksModule.forRoot(issuer.jwksOptions);

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface Pieces {
  imports?: (DynamicModule | Promise<DynamicModule>)[];
  controllers?: Type[];
  providers?: Provider[];
}
async function start({ imports = [], controllers = [], providers = [] }: Pieces): Promise<string> {
  @Module({ imports, controllers, providers })
  class App {}
  const started = await startNestApp(App);
  app = started.app;
  return started.url;
}
async function verdict(url: string, token?: string): Promise<string> {
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const { status, json, text } = await call(url, { headers });
  return typeof json.code === 'string' ? `${status} ${json.code}` : `${status} ${text}`;
}

@Controller()
class Plain {
  @Get('plain') plain(@Claims('sub') sub?: string) {
    return { sub };
  }
  @Get('open') @Public() open(@Claims('sub') sub?: string) {
    return { sub };
  }
  @Get('admins') @RequireJwt({ roles: ['admin'] }) admins() {
    return {};
  }
}
@Controller('class')
@Public()
class OpenClass {
  @Get('open') open() {
    return {};
  }
  @Get('closed') @RequireJwt() closed() {
    return {};
  }
}
@Controller('closed')
@RequireJwt()
class ClosedClass {
  @Get('open') @Public() open() {
    return {};
  }
  @Get() closed() {
    return {};
  }
}
const controllers = [Plain, OpenClass, ClosedClass];

describe.each<[string, Pieces]>([
  ['protectAll', { imports: [AuthModule.forRoot({ ...issuer.authOptions, protectAll: true })] }],
  [
    'protectAll with forRootAsync',
    {
      imports: [
        AuthModule.forRootAsync({ protectAll: true, useFactory: () => issuer.authOptions }),
      ],
    },
  ],
  [
    'APP_GUARD',
    {
      imports: [AuthModule.forRoot(issuer.authOptions)],
      providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
    },
  ],
])('%s', (_name, { imports = [], providers }) => {
  it('protects whatever is not @Public()', async () => {
    const url = await start({ imports: [JWKS, ...imports], controllers, providers });
    const token = await issuer.sign({ sub: '42' });
    const verdicts = async (path: string) => [
      await verdict(`${url}/${path}`),
      await verdict(`${url}/${path}`, 'forged'),
      await verdict(`${url}/${path}`, token),
    ];
    const closed = ['401 token_missing', '401 token_malformed'];
    expect({
      plain: await verdicts('plain'),
      open: await verdicts('open'),
      admins: await verdicts('admins'),
      openClass: await verdicts('class/open'),
      closedMethod: await verdicts('class/closed'),
      openMethod: await verdicts('closed/open'),
      closedClass: await verdicts('closed'),
    }).toEqual({
      plain: [...closed, '200 {"sub":"42"}'],
      open: ['200 {}', '200 {}', '200 {}'],
      admins: [...closed, '403 roles_missing'],
      openClass: ['200 {}', '200 {}', '200 {}'],
      closedMethod: [...closed, '200 {}'],
      openMethod: ['200 {}', '200 {}', '200 {}'],
      closedClass: [...closed, '200 {}'],
    });
  });
});

it('without either, a route without a decorator is open', async () => {
  const imports = [JWKS, AuthModule.forRoot(issuer.authOptions)];
  const url = await start({ imports, controllers });
  expect(await verdict(`${url}/plain`)).toBe('200 {}');
  expect(await verdict(`${url}/closed`)).toBe('401 token_missing');
});

const METADATA = {
  issuer: issuer.issuer,
  publicUrl: 'http://localhost',
  grants: [],
  authMethods: [],
  introspection: [],
  docs: false,
};

it("the product's own public routes stay open", async () => {
  const imports = [
    JWKS,
    AuthModule.forRoot({ ...issuer.authOptions, protectAll: true }),
    WellKnownModule.forRoot(METADATA),
  ];
  const url = await start({ imports });
  expect((await call(`${url}/.well-known/jwks.json`)).status).toBe(200);
  expect((await call(`${url}/.well-known/oauth-authorization-server`)).status).toBe(200);
});

describe('optional', () => {
  @Controller()
  class Optional {
    @Get('strict') @RequireJwt({ optional: true }) strict(@Claims('sub') sub = 'nobody') {
      return sub;
    }
    @Get('lenient') @RequireJwt({ optional: 'lenient' }) lenient(@Claims('sub') sub = 'nobody') {
      return sub;
    }
  }
  it('lets a token that is not accepted pass as none only when asked to', async () => {
    const imports = [JWKS, AuthModule.forRoot({ ...issuer.authOptions, logRefusals: false })];
    const url = await start({ imports, controllers: [Optional] });
    const tokens = {
      none: undefined,
      good: await issuer.sign({ sub: '42' }),
      expired: await issuer.sign({ exp: 1 }),
      forged: await createTestIssuer({ kid: issuer.kid }).sign(),
      other: await issuer.sign({ aud: 'other' }),
    };
    const all = async (path: string) =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(tokens).map(async ([name, token]) => [
            name,
            await verdict(`${url}/${path}`, token),
          ]),
        ),
      ) as object;
    expect(await all('strict')).toEqual({
      none: '200 nobody',
      good: '200 42',
      expired: '401 token_expired',
      forged: '401 signature_invalid',
      other: '401 audience_mismatch',
    });
    expect(await all('lenient')).toEqual({
      none: '200 nobody',
      good: '200 42',
      expired: '200 nobody',
      forged: '200 nobody',
      other: '200 nobody',
    });
    // What is ambiguous is nothing that is stale.
    const url2 = `${url}/lenient?access_token=x`;
    expect(await verdict(url2, tokens.good)).toBe('400 token_ambiguous');
  });
});

describe('request.user', () => {
  interface WithUser {
    readonly user?: unknown;
    readonly account?: unknown;
  }
  @Controller()
  class Users {
    @Get('claims') @RequireJwt() claims(@Req() { user }: WithUser) {
      return user;
    }
    @Get('of-route')
    @RequireJwt({ validate: ({ sub }) => Promise.resolve({ id: Number(sub) }) })
    ofRoute(@Req() { user }: WithUser, @Claims('sub') sub: string) {
      return { user, sub };
    }
    @Get('gone')
    @RequireJwt({
      validate: (_claims, context: ExecutionContext) => {
        throw new HttpException({ message: 'gone', where: context.getHandler().name }, 410);
      },
    })
    gone() {
      return {};
    }
    @Get('optional') @RequireJwt({ optional: true }) optional(@Req() request: WithUser) {
      return { user: request.user ?? null };
    }
  }
  const options = (more: Partial<AuthModuleOptions> = {}) => [
    JWKS,
    AuthModule.forRoot({ ...issuer.authOptions, ...more }),
  ];
  it('is the claims, or what validate makes of them', async () => {
    const url = await start({ imports: options(), controllers: [Users] });
    const token = await issuer.sign({ sub: '42' });
    expect(await verdict(`${url}/claims`, token)).toContain('"sub":"42"');
    expect(await verdict(`${url}/of-route`, token)).toBe('200 {"user":{"id":42},"sub":"42"}');
    expect(await verdict(`${url}/gone`, token)).toMatch(/^410 /);
    expect(await verdict(`${url}/gone`)).toBe('401 token_missing');
    expect(await verdict(`${url}/optional`)).toBe('200 {"user":null}');
  });

  it('has another name where the module says so, and the validate of the module', async () => {
    @Controller()
    class Accounts {
      @Get() @RequireJwt() account(@Req() { user, account }: WithUser) {
        return { user: user ?? null, account };
      }
    }
    const validate = ({ sub }: { sub?: string }) => ({ name: `user ${sub}` });
    const imports = options({ userProperty: 'account', validate });
    const url = await start({ imports, controllers: [Accounts] });
    const token = await issuer.sign({ sub: '42' });
    expect(await verdict(url, token)).toBe('200 {"user":null,"account":{"name":"user 42"}}');
  });

  it('is on the request that an override of getRequest gives', async () => {
    @Injectable()
    class OwnGuard extends AuthGuard {
      protected override getRequest(context: ExecutionContext): ContextRequest {
        const { headers, rawHeaders } = context.switchToHttp().getRequest<{
          headers: Record<string, string>;
          rawHeaders: string[];
        }>();
        const value = headers['x-token'] ?? '';
        return { headers: { ...headers, authorization: `Bearer ${value}` }, rawHeaders };
      }
    }
    @Controller()
    class Own {
      @Get() @UseGuards(OwnGuard) own(@Claims('sub') sub: string) {
        return sub;
      }
    }
    const url = await start({ imports: options({ logRefusals: false }), controllers: [Own] });
    const headers = { 'x-token': await issuer.sign({ sub: '42' }) };
    expect((await call(url, { headers })).text).toBe('42');
    expect((await call(url)).status).toBe(401);
  });
});

it.each<[string, DynamicModule]>([
  ['AuthModule', AuthModule.forRoot(issuer.authOptions)],
  ['SigningModule', SigningModule.forRoot({ alg: 'ES256' })],
])('%s without JwksModule is refused by name', async (name, module) => {
  const starting = start({ imports: [module] });
  await expect(starting).rejects.toThrow(`${name} needs JwksModule: add JwksModule.forRoot(…)`);
});

function throttled(options: object): Type {
  @Controller()
  class Route {
    @Get() @Throttled(options as { limit: number }) get() {}
  }
  return Route;
}

/** The options whose values are some words. */
const wordsOf = (kinds: Record<string, OptionKind>): string[] =>
  Object.entries(kinds)
    .filter(([, kind]) => /it has to be one of: /.test(kind('no such word', '').join()))
    .map(([option]) => option);

describe('options', () => {
  const own = { alg: 'ES256' as const, issuer: 'i', refreshTyp: 'rt+jwt' };
  const JWT = issuer.authOptions;
  const route = (options: RequireJwtOptions): Pieces => {
    @Controller()
    class Route {
      @Get() @RequireJwt(options) get() {}
    }
    return { imports: [JWKS, AuthModule.forRoot(JWT)], controllers: [Route] };
  };
  const signed = (options: object): Pieces => {
    @Controller()
    class Route {
      @Get() @SignFields(options as { fields: [] }) get() {
        return {};
      }
    }
    return { imports: [JWKS, SigningModule.forRoot({ alg: 'ES256' })], controllers: [Route] };
  };
  const MODULES = {
    JwksModule: (options: object) => JwksModule.forRoot({ ...issuer.jwksOptions, ...options }),
    StateModule: (options: object) =>
      StateModule.forRoot({ url: 'memory:', longestTokenTtl: 60, ...options }),
    SigningModule: (options: object) => SigningModule.forRoot({ ...options }),
    AuthModule: (options: object) => AuthModule.forRoot({ ...JWT, ...options }),
    BackendModule: (options: object) => BackendModule.forRoot({ host: 'http://a', ...options }),
    SessionModule: (options: object) => SessionModule.forRoot({ ...own, ...options }),
    SessionListModule: (options: object) => SessionListModule.forRoot(options),
    TokenModule: (options: object) => TokenModule.forRoot({ path: '/t', ...options }),
    OAuthModule: (options: object) => OAuthModule.forRoot(options),
    IntrospectionModule: (options: object) =>
      IntrospectionModule.forRoot({ roles: ['r'], ...options }),
    ClientsModule: (options: object) =>
      ClientsModule.forRoot({ path: 'clients.json', issuer: 'i', ...options }),
    WellKnownModule: (options: object) => WellKnownModule.forRoot({ ...METADATA, ...options }),
    ProtectedResourceModule: (options: object) => ProtectedResourceModule.forRoot(options),
    ExplainModule: (options: object) => ExplainModule.forRoot(options),
    ManagementExplainModule: (options: object) => ManagementExplainModule.forRoot(options),
    MetricsModule: (options: object) =>
      MetricsModule.forRoot({ host: '127.0.0.1', port: undefined, ...options }),
    ThrottleModule: (options: object) => ThrottleModule.forRoot({ limit: 1, ...options }),
    TracingModule: (options: object) =>
      TracingModule.forRoot({ endpoint: 'http://127.0.0.1:1', ...options }),
  };
  const KINDS = {
    JwksModule: JWKS_KINDS,
    StateModule: STATE_KINDS,
    SigningModule: SIGNING_KINDS,
    AuthModule: AUTH_KINDS,
    BackendModule: BACKEND_KINDS,
    SessionModule: SESSION_KINDS,
    SessionListModule: SESSION_LIST_KINDS,
    TokenModule: TOKEN_KINDS,
    OAuthModule: OAUTH_KINDS,
    IntrospectionModule: INTROSPECTION_KINDS,
    ClientsModule: CLIENTS_KINDS,
    WellKnownModule: WELL_KNOWN_KINDS,
    ProtectedResourceModule: PROTECTED_RESOURCE_KINDS,
    ExplainModule: EXPLAIN_KINDS,
    ManagementExplainModule: EXPLAIN_KINDS,
    MetricsModule: METRICS_KINDS,
    ThrottleModule: THROTTLE_KINDS,
    TracingModule: TRACING_KINDS,
  };
  /** A value that is wrong for every kind of option. */
  const WRONG = Symbol('wrong');

  it.each<[keyof typeof MODULES, object, string]>([
    [
      'SigningModule',
      { fields: 'access_token' },
      "'fields' is a string; it has to be a list of strings",
    ],
    [
      'SigningModule',
      { accessTtl: '600' },
      "'accessTtl' is a number as a string; it has to be a number",
    ],
    ['SigningModule', { accessTtl: NaN }, "'accessTtl' is NaN; it has to be a number of seconds"],
    ['SigningModule', { refreshTtl: -1 }, "'refreshTtl' is the number -1"],
    ['SigningModule', { full: 'false' }, "'full' is a string; it has to be true or false"],
    [
      'SigningModule',
      { staleExp: 'drop' },
      "'staleExp' is a string; it has to be one of: 'reject',",
    ],
    [
      'SigningModule',
      { acessTtl: 600 },
      "there is no option 'acessTtl'; did you mean 'accessTtl'?",
    ],
    [
      'AuthModule',
      { rolesMatcher: 'every' },
      "'rolesMatcher' is a string; it has to be one of: 'any',",
    ],
    ['AuthModule', { types: 'JWT' }, "'types' is a string; it has to be a list of strings"],
    ['AuthModule', { audiance: 'a' }, "there is no option 'audiance'; did you mean 'audience'?"],
    ['AuthModule', { leeway: '5' }, "'leeway' is a number as a string"],
    [
      'AuthModule',
      { dpop: 'yes' },
      "'dpop' is a string; it has to be one of: true, false, 'required'",
    ],
    [
      'AuthModule',
      { issuers: [{ issuer: 'a', audiance: 'b' }] },
      "there is no option 'issuers[0].audiance'; did you mean 'audience'?",
    ],
    ['JwksModule', { remote: { cacheTtl: '9' } }, "'remote.cacheTtl' is a number as a string"],
    [
      'JwksModule',
      { exposedKeyFiles: 'warm' },
      "'exposedKeyFiles' is a string; it has to be one of",
    ],
    ['StateModule', { longestTokenTtl: '60' }, "'longestTokenTtl' is a number as a string"],
    ['BackendModule', { breaker: { failures: 0 } }, "'breaker.failures' is the number 0"],
    ['BackendModule', { inputHeaders: 'a,b' }, "'inputHeaders' is a string"],
    ['SessionModule', { cookies: 1 }, "'cookies' is the number 1; it has to be true or false"],
    ['TokenModule', { path: '' }, "'path' is a string; it has to be a string that is not empty"],
    ['OAuthModule', { refresh: { path: '/r', window: 1 } }, "there is no option 'refresh.window'"],
  ])('%s: %j', async (name, options, problem) => {
    const starting = start({ imports: [MODULES[name](options)] });
    await expect(starting).rejects.toThrow(BootError);
    await expect(starting).rejects.toThrow(`${name}: ${problem}`);
  });

  it('every module that takes options is in this table', async () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, { default?: string }>;
    };
    const names = new Set<string>();
    for (const { default: file } of Object.values(exports)) {
      if (file === undefined) continue;
      const source = file.replace('./dist/', '../src/').replace(/js$/, 'ts');
      const room = (await import(source)) as Record<string, unknown>;
      for (const [name, value] of Object.entries(room))
        if (typeof value === 'function' && 'forRoot' in value) names.add(name);
    }
    expect([...names].toSorted()).toEqual(Object.keys(MODULES).toSorted());
  });

  /** What takes options, with what boots with them. */
  const TAKERS: [name: string, kinds: Record<string, OptionKind>, make: (o: object) => Pieces][] = [
    ...Object.entries(MODULES).map(([name, make]): (typeof TAKERS)[number] => [
      name,
      KINDS[name as keyof typeof KINDS],
      (options) => ({ imports: [make(options)] }),
    ]),
    ['@RequireJwt', REQUIRE_JWT_KINDS, route],
    ['@SignFields', SIGN_FIELDS_KINDS, signed],
    ['@Throttled', THROTTLE_KINDS, (options) => ({ controllers: [throttled(options)] })],
  ];

  it.each(TAKERS)(
    '%s: refuses a wrong type of every option, and its name misspelt',
    async (name, kinds, make) => {
      const refused = async (options: object): Promise<string> =>
        // Some check when they are called, others at boot.
        new Promise<Pieces>((done) => done(make(options))).then(start).then(
          () => 'it boots',
          (error: unknown) => (error instanceof BootError ? error.message : String(error)),
        );
      for (const option of Object.keys(kinds)) {
        const said = await refused({ [option]: WRONG });
        expect(said).toContain(`${name}: '${option}' is a symbol; it has to be`);
        const misspelt = option.slice(0, -1) + option.slice(-2);
        expect(await refused({ [misspelt]: undefined })).toContain(
          `${name}: there is no option '${misspelt}'; did you mean '${option}'?`,
        );
      }
    },
  );

  it.each(TAKERS.filter(([, kinds]) => wordsOf(kinds).length > 0))(
    '%s: refuses a wrong word of every option that is one of some words',
    async (name, kinds, make) => {
      for (const option of wordsOf(kinds))
        await expect(start(make({ [option]: 'no such word' }))).rejects.toThrow(
          `${name}: '${option}' is a string; it has to be one of: `,
        );
    },
  );

  it('of forRootAsync are checked as well', async () => {
    const useFactory = () => Promise.resolve({ accessTtl: '600' } as never);
    const starting = start({ imports: [JWKS, SigningModule.forRootAsync({ useFactory })] });
    await expect(starting).rejects.toThrow("SigningModule: 'accessTtl' is a number as a string");
  });

  it.each<[Pieces, string]>([
    [
      route({ rolesMatcher: 'every' } as object),
      "@RequireJwt: 'rolesMatcher' is a string; it has to be one of",
    ],
    [
      route({ role: ['a'] } as object),
      "@RequireJwt: there is no option 'role'; did you mean 'roles'?",
    ],
    [
      route({ roles: 'admin' } as object),
      "@RequireJwt: 'roles' is a string; it has to be a list of strings",
    ],
    [route({ optional: 'yes' } as object), "@RequireJwt: 'optional' is a string"],
    [signed({ fields: 'receipt' }), "@SignFields: 'fields' is a string; it has to be a list"],
    [signed({ fields: ['a'], ttl: '600' }), "@SignFields: 'ttl' is a number as a string"],
    [signed({ field: ['a'] }), "@SignFields: there is no option 'field'; did you mean 'fields'?"],
  ])('of a route: %#', async (pieces, problem) => {
    await expect(start(pieces)).rejects.toThrow(`GET / (Route.get): ${problem}`);
  });
});
