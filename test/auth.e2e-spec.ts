import type { IncomingMessage } from 'node:http';
import {
  All,
  Controller,
  Get,
  Module,
  Req,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Type as Nested } from 'class-transformer';
import {
  IsInt,
  IsString,
  MaxLength,
  registerDecorator,
  ValidateNested,
  type ValidationOptions,
} from 'class-validator';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AuthModule,
  Claims,
  RequireJwt,
  type AuthModuleOptions,
  type VerifiedClaims,
} from '../src/auth/index.js';
import { BackendClient, BackendModule } from '../src/backend/index.js';
import { BootError } from '../src/core/errors/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { call, callWith, exchange } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, hs256, writeKeys } from './helpers/issuers/keys.js';
import { startNestApp } from './helpers/apps/nest-app.js';

let jwk: JWK;
let keys: string;
let backend: Backend;
let app: INestApplication | undefined;
let url = '';

beforeAll(async () => {
  jwk = await generateJwk('HS256', '1');
  keys = writeKeys([jwk]);
  backend = await startBackend();
  await backend.answer('/', { body: {} });
});
afterAll(() => backend.stop());
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function boot(
  controller: Type,
  options: Partial<AuthModuleOptions> = {},
  inputHeaders: string[] = [],
): Promise<void> {
  @Module({
    imports: [
      // Before AuthModule, which has more to say about headers.
      BackendModule.forRoot({ host: backend.url, inputHeaders, timeoutMs: 20_000 }),
      JwksModule.forRoot({ signing: { path: keys }, reloadIntervalMs: 0 }),
      AuthModule.forRoot({
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        isGlobal: false,
        ...options,
      }),
    ],
    controllers: [controller],
  })
  class App {}
  ({ app, url } = await startNestApp(App));
}

/** Status and code. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const { status, json } = await call(`${url}/${path}`, { method, headers });
  return typeof json.code === 'string' ? `${status} ${json.code}` : String(status);
}
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const EXP = 2_051_882_755;
/** A token whose claims are spelled as given. */
const spelled = (claims: string, typ = 'JWT'): string =>
  hs256(
    jwk.k ?? '',
    { alg: 'HS256', kid: '1', typ },
    `{"iss":"${ISSUER}","aud":"${AUDIENCE}","exp":${EXP}${claims}}`,
  );

describe('optional tokens', () => {
  @Controller()
  class Routes {
    @Get('optional')
    @RequireJwt({ optional: true })
    optional(@Claims() claims: VerifiedClaims | undefined, @Claims('sub') sub?: string): object {
      return { anonymous: claims === undefined, sub: sub ?? null };
    }
  }

  it('let anonymous requests in, and refuse every token that is not good', async () => {
    await boot(Routes, { cookieKey: 'session' });
    for (const headers of [{}, { authorization: 'Basic dTpw' }, { cookie: 'session=' }])
      expect((await call(`${url}/optional`, { headers })).json).toEqual({
        anonymous: true,
        sub: null,
      });
    const good = await callWith(`${url}/optional`, await tokenOf(jwk));
    expect(good.json).toEqual({ anonymous: false, sub: 'u1' });
    const other = await tokenOf(await generateJwk('HS256', '1'));
    expect(await ask('optional', bearer(other))).toBe('401 signature_invalid');
    expect(await ask('optional', bearer('x'))).toBe('401 token_malformed');
    expect(await ask('optional', { cookie: 'session=x' })).toBe('401 token_malformed');
    expect(await ask('optional?access_token=1', bearer(other))).toBe('400 token_ambiguous');
  });
});

describe('claims for the backend', () => {
  const PROPAGATE = {
    sub: 'X-User',
    'realm.id': 'x-realm',
    'https://example.com/tenant': 'x-tenant',
    list: 'x-list',
    object: 'x-object',
    number: 'x-number',
    text: 'x-text',
  };
  @Controller()
  class Routes {
    constructor(private readonly client: BackendClient) {}
    @All('module') @RequireJwt() module(@Req() from: IncomingMessage): Promise<object> {
      return this.ask(from);
    }
    @Get('route')
    @RequireJwt({ propagateClaims: { sub: 'x-route' } })
    route(@Req() from: IncomingMessage): Promise<object> {
      return this.ask(from);
    }
    @Get('none')
    @RequireJwt({ propagateClaims: {} })
    none(@Req() from: IncomingMessage): Promise<object> {
      return this.ask(from);
    }
    @Get('optional')
    @RequireJwt({ optional: true })
    optional(@Req() from: IncomingMessage): Promise<object> {
      return this.ask(from);
    }
    @Get('public') open(@Req() from: IncomingMessage): Promise<object> {
      return this.ask(from);
    }
    private async ask(from: IncomingMessage): Promise<object> {
      return (await this.client.call<object>({ path: '/', from })).body;
    }
  }
  /** The headers of the last call that begin with `x`. */
  const seen = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(backend.seen.at(-1)?.headers ?? {}).filter(([name]) =>
        /^x(?!-forwarded-|-request-id)/.test(name),
      ),
    );
  const FORGED = ['x-user', 'X_User', 'x.realm', 'x-route', 'x_tenant', 'x-free'];

  it('become headers: nested, with URLs as names, lists, objects, all digits', async () => {
    await boot(Routes, { propagateClaims: PROPAGATE });
    const token = spelled(
      ',"sub":"u 1","realm":{"id":9007199254740993},"https://example.com/tenant":true,' +
        '"list":["a","b,c",1,12345678901234567890,null,{"k":"é"}],"object":{"n":1e400,"t":"é\\n"},' +
        '"number":0.10,"text":""',
    );
    expect(await ask('module', bearer(token))).toBe('200');
    expect(seen()).toEqual({
      'x-user': 'u 1',
      'x-realm': '9007199254740993',
      'x-tenant': 'true',
      'x-list': 'a,b%2Cc,1,12345678901234567890,null,{"k":"\\u00e9"}',
      'x-object': '{"n":1e400,"t":"\\u00e9\\n"}',
      'x-number': '0.1',
      'x-text': '',
    });
  });

  it('give no header where they are absent or null, and what the route says counts', async () => {
    await boot(Routes, { propagateClaims: PROPAGATE });
    expect(await ask('module', bearer(spelled(',"text":null')))).toBe('200');
    expect(seen()).toEqual({});
    expect(await ask('route', bearer(spelled(',"sub":"me","realm":{"id":1}')))).toBe('200');
    expect(seen()).toEqual({ 'x-route': 'me' });
    expect(await ask('none', bearer(spelled(',"sub":"me"')))).toBe('200');
    expect(seen()).toEqual({});
  });

  it('cannot break out of their header, and can be read back', async () => {
    await boot(Routes, { propagateClaims: PROPAGATE });
    for (const text of [
      'a\r\nx-admin: 1',
      '\u0000\u007f\u2028',
      ' é中🙂 ',
      '100%',
      'a%0d%0aX: 1',
    ]) {
      expect(await ask('module', bearer(spelled(`,"sub":${JSON.stringify(text)}`)))).toBe('200');
      expect(Object.keys(seen())).toEqual(['x-user']);
      expect(seen()['x-user']).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeURIComponent(seen()['x-user'] ?? '')).toBe(text);
    }
    const deep = `${'['.repeat(2600)}${']'.repeat(2600)}`;
    expect(await ask('module', bearer(spelled(`,"object":{"a":${deep}}`)))).toBe('200');
    expect(await ask('module', bearer(spelled(',"sub":"\\ud800"')))).toBe('401 claim_invalid');
    expect(await ask('module', bearer(spelled(',"list":["\\udc00"]')))).toBe('401 claim_invalid');
  });

  it('tell a text from a list', async () => {
    await boot(Routes, { propagateClaims: { roles: 'x-roles' } });
    expect(await ask('module', bearer(spelled(',"roles":"user,admin"')))).toBe('200');
    expect(seen()).toEqual({ 'x-roles': 'user%2Cadmin' });
    expect(await ask('module', bearer(spelled(',"roles":["user","admin"]')))).toBe('200');
    expect(seen()).toEqual({ 'x-roles': 'user,admin' });
  });

  it('are one claim in two headers, and a line for each item of a list', async () => {
    const propagateClaims = { sub: ['x-user', 'x-sub'], list: 'x-list', none: 'x-none' };
    await boot(Routes, { propagateClaims, propagateLists: 'repeated' });
    expect(await ask('module', bearer(spelled(',"sub":"me","list":["a","b,c"],"none":[]')))).toBe(
      '200',
    );
    expect(seen()).toEqual({ 'x-user': 'me', 'x-sub': 'me', 'x-list': 'a, b%2Cc', 'x-none': '' });
  });

  it('are UTF-8 where the option says so, and nothing that ends a line', async () => {
    await boot(Routes, { propagateClaims: PROPAGATE, propagateEncoding: 'utf8' });
    const claims = ',"sub":"é中🙂 100%, x","list":["é","b,c"],"object":{"é":"\\n"}';
    expect(await ask('module', bearer(spelled(claims)))).toBe('200');
    const utf8 = Object.entries(seen()).map(([name, value]) => [
      name,
      Buffer.from(value, 'latin1').toString(),
    ]);
    expect(Object.fromEntries(utf8)).toEqual({
      'x-user': 'é中🙂 100%, x',
      'x-list': 'é,b,c',
      'x-object': '{"é":"\\n"}',
    });
    for (const text of ['a\\r\\nx-admin: 1', '\\u0000', '\\u007f', '\\u0085', '\\ud800'])
      expect(await ask('module', bearer(spelled(`,"sub":"${text}"`)))).toBe('401 claim_invalid');
  });

  it.each(['module', 'route', 'none', 'optional', 'public'])(
    "are never the client's own headers: %s",
    async (path) => {
      await boot(Routes, { propagateClaims: PROPAGATE }, FORGED);
      const forged = Object.fromEntries(FORGED.map((name) => [name, 'forged']));
      const token = path === 'public' || path === 'optional' ? {} : bearer(spelled(''));
      expect(await ask(path, { ...forged, ...token })).toBe('200');
      expect(seen()).toEqual({ 'x-free': 'forged' });
    },
  );

  it('stay when the client declares them to be for its connection only', async () => {
    await boot(Routes, { propagateClaims: PROPAGATE }, ['x-free', 'x-other']);
    const answer = await exchange(
      url,
      `GET /module HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${spelled(',"sub":"me"')}\r\n` +
        'X-User: forged\r\nX-Free: 1\r\nX-Other: 2\r\nConnection: close, X-User\r\nConnection: ,x-FREE\r\n\r\n',
    );
    expect(answer.status).toBe(200);
    // RFC 9110 section 7.6.1: what the client lists goes no further.
    expect(seen()).toEqual({ 'x-user': 'me', 'x-other': '2' });
  });

  it.each([
    [{ sub: 'Connection' }, 'cannot set the header connection'],
    [{ sub: 'host' }, 'cannot set the header host'],
    [{ sub: 'authorization' }, 'cannot set the header authorization'],
    [{ sub: 'x user' }, "'x user' is not a header name"],
    [{ sub: '' }, "'' is not a header name"],
    [{ sub: 'x-user', name: 'X_USER' }, "names header 'X_USER' twice"],
  ])('refuse to boot with %j', async (propagateClaims, problem) => {
    await expect(boot(Routes, { propagateClaims })).rejects.toThrow(
      new BootError(`AuthModule: 'propagateClaims' ${problem}`),
    );
  });

  it('no backend gets headers of the connection, however it is told to', async () => {
    await expect(boot(Routes, {}, ['X-A', 'Connection'])).rejects.toThrow(
      'the option inputHeaders of BackendModule cannot forward connection',
    );
  });
});

describe('tokens in cookies', () => {
  @Controller()
  @RequireJwt()
  class Routes {
    @All('any') any(): string {
      return 'ok';
    }
  }
  const cross = { 'sec-fetch-site': 'cross-site' };

  it('change something only for requests of this origin', async () => {
    await boot(Routes, { cookieKey: 'session' });
    const cookie = { cookie: `session=${await tokenOf(jwk)}` };
    const verdicts = async (headers: Record<string, string>, methods: string[]) =>
      Promise.all(methods.map((method) => ask('any', headers, method)));
    const changing = ['POST', 'PUT', 'PATCH', 'DELETE'];
    const all = (verdict: string): string[] => changing.map(() => verdict);
    const refusals: Record<string, string>[] = [
      {},
      cross,
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-origin, same-origin' },
      // The browser knows better than a header that older ones send.
      { ...cross, origin: url },
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: url.replace('http:', 'https:') },
      { origin: `${url}.evil.example` },
      { origin: `${url}/` },
    ];
    for (const refused of refusals)
      expect(await verdicts({ ...cookie, ...refused }, changing)).toEqual(all('403 csrf_refused'));
    const accepted: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin' },
      { origin: url },
    ];
    for (const good of accepted)
      expect(await verdicts({ ...cookie, ...good }, changing)).toEqual(all('200'));
    expect(await verdicts({ ...cookie, ...cross }, ['GET', 'HEAD', 'OPTIONS'])).toEqual(
      Array.from({ length: 3 }, () => '200'),
    );
    // A browser attaches no header by itself; and without any token there is nothing to ride on.
    const header = bearer(await tokenOf(jwk));
    expect(await verdicts({ ...cookie, ...header, ...cross }, changing)).toEqual(all('200'));
    expect(await verdicts(cross, changing)).toEqual(all('401 token_missing'));
    const answer = await call(`${url}/any`, { method: 'POST', headers: cookie });
    expectShape(answer.json);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="signet"');
  });
  const expectShape = (json: Record<string, unknown>): void => {
    expect(json).toMatchObject({ error: 'access_denied', code: 'csrf_refused' });
  };

  it('know the public origin behind a proxy, and no other then', async () => {
    await boot(Routes, { cookieKey: 'session', publicUrl: 'https://Gateway.example:443/base' });
    const cookie = { cookie: `session=${await tokenOf(jwk)}` };
    expect(await ask('any', { ...cookie, origin: 'https://gateway.example' }, 'POST')).toBe('200');
    expect(await ask('any', { ...cookie, origin: url }, 'POST')).toBe('403 csrf_refused');
    await app?.close();
    await expect(boot(Routes, { publicUrl: 'gateway' })).rejects.toThrow(BootError);
  });
});

describe('at+jwt (RFC 9068)', () => {
  @Controller()
  class Routes {
    @Get('any') @RequireJwt() any(): string {
      return 'ok';
    }
  }

  it('needs all its claims', async () => {
    await boot(Routes);
    const rest = { sub: '"s"', client_id: '"c"', iat: '1', jti: '"j"' };
    const token = (claims: Record<string, string>, typ: string): string =>
      spelled(
        Object.entries(claims)
          .map(([name, value]) => `,"${name}":${value}`)
          .join(''),
        typ,
      );
    for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
      expect(await ask('any', bearer(token(rest, typ)))).toBe('200');
      for (const name of Object.keys(rest)) {
        const { [name as 'sub']: _left, ...without } = rest;
        const { status, json } = await callWith(`${url}/any`, token(without, typ));
        expect([status, json.code]).toEqual([401, 'claim_missing']);
        expect(json.error_description).toBe(`a token of typ at+jwt needs: ${name}`);
        expect(await ask('any', bearer(token({ ...rest, [name]: 'null' }, typ)))).toBe(
          '401 claim_missing',
        );
      }
    }
    expect(await ask('any', bearer(token({}, 'JWT')))).toBe('200');
  });
});

describe('admin routes', () => {
  @Controller()
  class Routes {
    @Get('admin') @RequireJwt({ admin: true, rolesMatcher: 'all' }) admin(): string {
      return 'ok';
    }
  }

  it('need one of the admin roles', async () => {
    await boot(Routes, { adminRoles: ['root', 'ops'], rolesMatcher: 'all' });
    expect(await ask('admin')).toBe('401 token_missing');
    expect(await ask('admin', bearer(await tokenOf(jwk)))).toBe('403 roles_missing');
    expect(await ask('admin', bearer(await tokenOf(jwk, { roles: ['ops'] })))).toBe('200');
  });

  it.each([
    ['without admin roles', {}, { admin: true }, "'admin' needs the option adminRoles"],
    [
      'with an empty list',
      { adminRoles: [] },
      { admin: true },
      "'admin' needs the option adminRoles",
    ],
    ['with roles', { adminRoles: ['a'] }, { admin: true, roles: ['b'] }, "'admin' and 'roles'"],
    ['for everybody', { adminRoles: ['a'] }, { admin: true, optional: true }, "'optional' lets"],
    ['optional roles', {}, { optional: true, roles: ['b'] }, "'optional' lets everybody in"],
    ['optional scopes', {}, { optional: true, scopes: ['b'] }, "'optional' lets everybody in"],
  ])('do not boot %s', async (_how, options, route, message) => {
    @Controller()
    class Wrong {
      @Get('admin') @RequireJwt(route) admin(): string {
        return 'ok';
      }
    }
    await expect(boot(Wrong, options)).rejects.toThrow(`GET /admin (Wrong.admin): ${message}`);
  });
});

/** A rule that answers later; to be refused it has to be waited for. */
const Later =
  (options: ValidationOptions = {}): PropertyDecorator =>
  (target, name) =>
    registerDecorator({
      name: 'later',
      async: true,
      target: target.constructor,
      propertyName: name as string,
      options,
      validator: { validate: (value: unknown) => Promise.resolve(value !== 'wrong') },
    });

class Realm {
  @IsInt() id!: number;
}
class MyClaims {
  @IsString() @MaxLength(10) tenant!: string;
  @ValidateNested() @Nested(() => Realm) realm!: Realm;
  @Later() lately?: string;
}

describe('a class of claims', () => {
  @Controller()
  class Routes {
    @Get('mine')
    @RequireJwt({ claims: MyClaims, roles: ['role_a'] })
    mine(@Claims() claims: VerifiedClaims<MyClaims>): object {
      return { tenant: claims.tenant, realm: claims.realm, more: claims.more };
    }
  }
  const GOOD =
    ',"roles":["role_a"],"tenant":"t","realm":{"id":1,"x":[9007199254740993]},"more":[1]';

  it('is enforced; the handler gets the claims as they are', async () => {
    await boot(Routes);
    const { status, text } = await callWith(`${url}/mine`, spelled(GOOD));
    expect([status, text]).toEqual([
      200,
      '{"tenant":"t","realm":{"id":1,"x":[9007199254740993]},"more":[1]}',
    ]);
  });

  it.each([
    ['"tenant":"t"', '"tenant":"more than ten"', "'tenant' does not fulfil maxLength"],
    ['"tenant":"t"', '"tenant":["t"]', "'tenant' does not fulfil "],
    ['"tenant":"t",', '', "'tenant' does not fulfil "],
    ['"id":1', '"id":1.5', "'realm.id' does not fulfil isInt"],
    ['"id":1', '"id":1e400', "'realm.id' does not fulfil isInt"],
    ['{"id":1,"x":[9007199254740993]}', '7', "'realm' does not fulfil "],
    ['"more":[1]', '"lately":"wrong"', "'lately' does not fulfil later"],
    ['"tenant":"t"', '"__proto__":{"tenant":"t"}', "'tenant' does not fulfil "],
  ])('refuses %s as %s, by name and without the value', async (part, wrong, message) => {
    await boot(Routes);
    const { status, json } = await callWith(`${url}/mine`, spelled(GOOD.replace(part, wrong)));
    expect([status, json.code]).toEqual([401, 'claim_invalid']);
    expect(json.error_description).toContain(`claim ${message}`);
    expect(json.error_description).not.toMatch(/more than ten|wrong|1\.5/);
  });

  it('comes before roles, which only an accepted token has, and survives hostile nesting', async () => {
    await boot(Routes);
    expect(await ask('mine', bearer(spelled(',"roles":[]')))).toBe('401 claim_invalid');
    const deep = `${'['.repeat(2600)}${']'.repeat(2600)}`;
    const good = GOOD.replace('9007199254740993', '1');
    expect(await ask('mine', bearer(spelled(`${good},"deep":${deep}`)))).toBe('401 claim_invalid');
    expect(await ask('mine', bearer(spelled(good)))).toBe('200');
  });

  it('has to check something', async () => {
    class Bare {
      tenant!: string;
    }
    @Controller()
    class Wrong {
      @Get('x') @RequireJwt({ claims: Bare }) x(): string {
        return 'ok';
      }
    }
    await expect(boot(Wrong)).rejects.toThrow('GET /x (Wrong.x): the class Bare');
  });
});

describe('AuthModule without options', () => {
  const EMPTY = ['algorithms', 'issuer', 'audience'].map(
    (name) => `AuthModule: '${name}' is empty, which no token could fulfil`,
  );
  it.each([
    ['empty ones', () => AuthModule.forRoot({} as AuthModuleOptions)],
    ['none', () => AuthModule.forRootAsync({ useFactory: () => undefined as never })],
  ])('names what is missing and does not boot: %s', async (_what, authModule) => {
    @Module({
      imports: [JwksModule.forRoot({ signing: { path: keys }, reloadIntervalMs: 0 }), authModule()],
    })
    class App {}
    await expect(
      NestFactory.create(App, { logger: false, abortOnError: false }).then((one) => one.init()),
    ).rejects.toThrow(new BootError(EMPTY));
  });

  it.each([{ algorithms: undefined }, { issuer: '' }, { issuer: [undefined] }, { audience: [] }])(
    'names a single one: %j',
    async (options) => {
      @Controller()
      class Routes {
        @Get('any') @RequireJwt() any(): string {
          return 'ok';
        }
      }
      const [name] = Object.keys(options);
      await expect(boot(Routes, options as unknown as Partial<AuthModuleOptions>)).rejects.toThrow(
        new BootError(`AuthModule: '${name}' is empty, which no token could fulfil`),
      );
    },
  );
});
