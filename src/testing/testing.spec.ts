import type { AddressInfo } from 'node:net';
import { Controller, Get, Post, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { decodeProtectedHeader, importJWK, jwtVerify, type JWK } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { AuthGuard, AuthModule, Claims, RequireJwt } from '../auth/index.js';
import { JwksModule } from '../jwks/index.js';
import { JWS_ALGORITHMS } from '../core/jws/index.js';
import { SignFields, SigningModule } from '../signing/index.js';
import {
  createTestIssuer,
  mockJwt,
  signTestToken,
  startFakeBackend,
  testIssuer,
  type TestIssuer,
} from './index.js';

@Controller('orders')
@RequireJwt({ roles: ['clerk'] })
class OrdersController {
  @Get() list(@Claims('sub') sub: string, @Claims('tenant') tenant: string) {
    return { sub, tenant };
  }
  @Post()
  @SignFields('receipt')
  order() {
    return { receipt: { order: 7 } };
  }
}

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function boot(application: INestApplication): Promise<string> {
  app = application;
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}/orders`;
}
const trusting = (issuer: TestIssuer) => [
  JwksModule.forRoot(issuer.jwksOptions),
  AuthModule.forRoot(issuer.authOptions),
  SigningModule.forRoot({ alg: issuer.alg }),
];
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('createTestIssuer', () => {
  it.each(JWS_ALGORITHMS)('signs with %s as jose understands it', async (alg) => {
    const issuer = createTestIssuer({ alg, kid: 'k', issuer: 'i', audience: 'a' });
    const token = await issuer.sign({ sub: '42' });
    expect(decodeProtectedHeader(token)).toEqual({ alg, kid: 'k', typ: 'JWT' });
    const [jwk] = issuer.jwks.keys;
    const { kty, n, e, crv, x, y, k, pub } = jwk as JWK;
    const key = await importJWK({ kty, n, e, crv, x, y, k, pub, alg });
    const { payload } = await jwtVerify(token, key, { issuer: 'i', audience: 'a' });
    expect(payload).toMatchObject({ sub: '42', jti: expect.any(String) as string });
  });

  it('is trusted by an application with its options, and by no other', async () => {
    const issuer = createTestIssuer();
    const testing = await Test.createTestingModule({
      imports: trusting(issuer),
      controllers: [OrdersController],
    }).compile();
    const url = await boot(testing.createNestApplication());
    const status = async (token: string) => (await fetch(url, bearer(token))).status;
    const roles = ['clerk'];
    const served = await fetch(url, bearer(await issuer.sign({ roles, tenant: 'acme' })));
    expect(await served.json()).toEqual({ sub: 'test-user', tenant: 'acme' });
    expect(await status(await issuer.sign())).toBe(403);
    expect(await status(await issuer.sign({ roles, exp: undefined }))).toBe(401);
    expect(await status(await issuer.sign({ roles }, { typ: 'rt+jwt' }))).toBe(401);
    expect(await status(await createTestIssuer().sign({ roles }))).toBe(401);
    expect(await status(await createTestIssuer({ kid: issuer.kid }).sign({ roles }))).toBe(401);
    const ordered = await fetch(url, {
      ...bearer(await issuer.sign({ roles })),
      method: 'POST',
    });
    const { receipt } = (await ordered.json()) as { receipt: string };
    expect(decodeProtectedHeader(receipt)).toMatchObject({ kid: issuer.kid });
  });

  it('lends one issuer to signTestToken', async () => {
    const testing = await Test.createTestingModule({
      imports: trusting(testIssuer()),
      controllers: [OrdersController],
    }).compile();
    const url = await boot(testing.createNestApplication());
    const token = await signTestToken({ roles: ['clerk'] });
    expect((await fetch(url, bearer(token))).status).toBe(200);
  });
});

describe('mockJwt', () => {
  it('takes the place of the guard, and its claims those of a token', async () => {
    @Controller('orders')
    class Protected {
      @Get() @RequireJwt({ roles: ['boss'] }) list(@Claims() claims: object) {
        return claims;
      }
    }
    const testing = await Test.createTestingModule({ controllers: [Protected] })
      .overrideGuard(AuthGuard)
      .useValue(mockJwt({ claims: { sub: '42', tenant: 'acme' } }))
      .compile();
    const url = await boot(testing.createNestApplication());
    expect(await (await fetch(url)).json()).toEqual({
      iss: 'https://issuer.test',
      aud: 'https://api.test',
      sub: '42',
      exp: expect.any(Number) as number,
      tenant: 'acme',
    });
  });
});

describe('startFakeBackend', () => {
  it('answers as it is told, remembers its calls, and is the demo for the rest', async () => {
    const backend = await startFakeBackend({ '/a': { status: 201, body: [1] } });
    const first = await fetch(`${backend.url}/a?b=c`, { method: 'POST', body: 'hello' });
    expect([first.status, await first.json()]).toEqual([201, [1]]);
    backend.answer('/a?b=c', { headers: { 'content-type': 'text/plain' }, body: 'no JSON' });
    const second = await fetch(`${backend.url}/a?b=c`);
    expect([second.headers.get('content-type'), await second.text()]).toEqual([
      'text/plain',
      'no JSON',
    ]);
    const demo = await fetch(`${backend.url}/token.json`, { method: 'POST' });
    expect(await demo.json()).toHaveProperty('access_token.roles');
    expect((await fetch(`${backend.url}/nowhere`)).status).toBe(404);
    expect(backend.calls.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', '/a?b=c', 'hello'],
      ['GET', '/a?b=c', ''],
      ['POST', '/token.json', ''],
      ['GET', '/nowhere', ''],
    ]);
    await backend.close();
  });
});
