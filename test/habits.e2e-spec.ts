import type { AddressInfo } from 'node:net';
import {
  applyDecorators,
  ConflictException,
  Controller,
  Get,
  Module,
  Post,
  VersioningType,
  type INestApplication,
  type LoggerService,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AuthModule,
  BootError,
  ERROR_FILTER_OPTIONS,
  ErrorFilter,
  JwksModule,
  RequireJwt,
  SignFields,
  SigningModule,
  type StandardSchema,
} from '../src/index.js';
import { createTestIssuer } from '../src/testing/index.js';
import { call, callWith } from './helpers/network/http.js';
import { part } from './helpers/issuers/keys.js';

const issuer = createTestIssuer();
let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface Setup {
  providers?: Provider[];
  logger?: LoggerService;
  logRefusals?: boolean;
  configure?: (app: INestApplication) => unknown;
}
async function start(
  controller: Type,
  { providers = [], logger, logRefusals, configure }: Setup = {},
): Promise<string> {
  @Module({
    imports: [
      JwksModule.forRoot(issuer.jwksOptions),
      SigningModule.forRoot({ alg: issuer.alg }),
      AuthModule.forRoot({ ...issuer.authOptions, logRefusals }),
    ],
    controllers: [controller],
    providers,
  })
  class App {}
  app = await NestFactory.create(App, { logger: logger ?? false, abortOnError: false });
  configure?.(app);
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

@Controller('orders')
class Orders {
  @Get() @RequireJwt() list() {
    return [];
  }
  @Post() @SignFields('receipt') place() {
    return { receipt: { order: 7 } };
  }
  @Get('taken') taken() {
    throw new ConflictException({ code: 'taken', details: ['name'] });
  }
}

describe('ErrorFilter', () => {
  it('works as APP_FILTER, with options and without, and leaves bodies of the application', async () => {
    const filter = { provide: APP_FILTER, useClass: ErrorFilter };
    const url = await start(Orders, { providers: [filter] });
    const refused = await callWith(`${url}/orders`, 'abc');
    expect([refused.status, refused.json.code]).toEqual([401, 'invalid_token']);
    expect(refused.json.request_id).toBe(refused.headers.get('x-request-id'));
    const taken = await call(`${url}/orders/taken`);
    expect([taken.status, taken.json]).toEqual([409, { code: 'taken', details: ['name'] }]);
    expect(taken.headers.get('x-request-id')).not.toBeNull();
    await app?.close();
    const options = { provide: ERROR_FILTER_OPTIONS, useValue: { explain: true } };
    const explained = await start(Orders, { providers: [filter, options] });
    expect((await callWith(`${explained}/orders`, 'abc')).json.code).toBe('token_malformed');
  });

  it.each<[string, string, (one: INestApplication) => unknown]>([
    ['a global prefix', '/api/v1/orders', (one) => one.setGlobalPrefix('api/v1')],
    [
      'a version in the path',
      '/v2/orders',
      (one) => one.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' }),
    ],
    [
      'both',
      '/api/v2/orders',
      (one) =>
        one
          .setGlobalPrefix('api')
          .enableVersioning({ type: VersioningType.URI, defaultVersion: '2' }),
    ],
  ])('says with %s which methods there are', async (_name, path, more) => {
    const configure = (one: INestApplication) => {
      one.useGlobalFilters(new ErrorFilter());
      more(one);
    };
    const url = await start(Orders, { configure });
    const wrong = await call(`${url}${path}?a=b`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD']);
    expect((await call(`${url}${path}/no/where`)).status).toBe(404);
    expect((await call(`${url}/elsewhere`)).status).toBe(404);
  });
});

it('no cache keeps what @SignFields signs', async () => {
  const url = await start(Orders);
  const { headers, json } = await call(`${url}/orders`, { method: 'POST' });
  expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  expect(part(String(json.receipt), 1)).toMatchObject({ order: 7 });
});

it('decorators can be composed', async () => {
  const Receipt = () => applyDecorators(RequireJwt(), SignFields('receipt'));
  @Controller()
  class Composed {
    @Post() @Receipt() place() {
      return { receipt: { order: 7 } };
    }
  }
  const url = await start(Composed);
  expect((await call(url, { method: 'POST' })).status).toBe(401);
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  const { json } = await call(url, { method: 'POST', headers });
  expect(part(String(json.receipt), 1)).toMatchObject({ order: 7 });
});

describe('a refusal is a line of the log', () => {
  const lines: string[] = [];
  const ignore = (): void => undefined;
  const logger: LoggerService = {
    log: ignore,
    error: ignore,
    warn: (line: string, context: string) => void lines.push(`${context}: ${line}`),
  };
  it('with route, code and reason, and without the token', async () => {
    lines.length = 0;
    const url = await start(Orders, { logger });
    const expired = await issuer.sign({ exp: 1 });
    await callWith(`${url}/orders`, expired);
    await callWith(`${url}/orders`, 'a\nb'.replace('\n', ' '));
    await call(`${url}/orders`);
    expect(lines).toEqual([
      expect.stringMatching(/^Auth: Orders\.list: 401 token_expired: .*exp/),
      expect.stringMatching(/^Auth: Orders\.list: 401 token_malformed: /),
      expect.stringMatching(/^Auth: Orders\.list: 401 token_missing: /),
    ]);
    expect(lines.join('\n')).not.toContain(expired.split('.')[1]);
  });
  it('unless the options say no', async () => {
    lines.length = 0;
    await call(`${await start(Orders, { logger, logRefusals: false })}/orders`);
    expect(lines).toEqual([]);
  });
});

describe('claims by a standard schema', () => {
  /** As zod and valibot make them. */
  const tenantSchema: StandardSchema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const { tenant } = value as { tenant?: { id?: unknown } };
        (value as Record<string, unknown>).changed = true;
        return typeof tenant?.id === 'number'
          ? {}
          : { issues: [{ path: ['tenant', { key: 'id' }], message: `"${String(tenant?.id)}"` }] };
      },
    },
  };
  @Controller()
  class Tenants {
    @Get() @RequireJwt({ claims: tenantSchema }) tenant() {
      return 'ok';
    }
  }
  it('are refused by the name of the claim, never with its value', async () => {
    const configure = (one: INestApplication) =>
      one.useGlobalFilters(new ErrorFilter({ explain: true }));
    const url = await start(Tenants, { configure });
    expect((await callWith(url, await issuer.sign({ tenant: { id: 7 } }))).text).toBe('ok');
    const refused = await callWith(url, await issuer.sign({ tenant: { id: 'secret' } }));
    expect([refused.status, refused.json.code, refused.json.error_description]).toEqual([
      401,
      'claim_invalid',
      "claim 'tenant.id' does not fulfil the schema",
    ]);
  });

  it('an object that is no schema does not boot', async () => {
    @Controller()
    class Wrong {
      @Get() @RequireJwt({ claims: {} as StandardSchema }) wrong() {}
    }
    await expect(start(Wrong)).rejects.toThrow(BootError);
  });
});
