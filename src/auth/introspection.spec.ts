import type { AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ErrorFilter } from '../http/index.js';
import { JwksModule } from '../jwks/index.js';
import { createTestIssuer, startFakeBackend, type FakeBackend } from '../testing/index.js';
import { AuthModule, Claims, RequireJwt, type AuthModuleOptions } from './index.js';

const OTHER = 'https://other.test';
const issuer = createTestIssuer();
let endpoint: FakeBackend;
let app: INestApplication | undefined;
beforeEach(async () => {
  const exp = Math.floor(Date.now() / 1000) + 60;
  const body = { active: true, iss: OTHER, aud: issuer.audience, exp, sub: 'u1' };
  endpoint = await startFakeBackend({ '/introspect': { body } });
});
afterEach(async () => {
  await app?.close();
  await endpoint.close();
  app = undefined;
});

@Controller()
class Routes {
  @Get('of-module') @RequireJwt() ofModule(@Claims() claims: object) {
    return claims;
  }
  @Get('optional') @RequireJwt({ optional: true }) optional(@Claims('sub') sub = 'nobody') {
    return sub;
  }
  @Get('own-issuer') @RequireJwt({ issuer: issuer.issuer }) ownIssuer() {
    return 'ok';
  }
}

async function boot(options: Partial<AuthModuleOptions>): Promise<string> {
  const testing = await Test.createTestingModule({
    imports: [
      JwksModule.forRoot({ ...issuer.jwksOptions, remote: { httpHosts: ['127.0.0.1'] } }),
      AuthModule.forRoot({ ...issuer.authOptions, ...options }),
    ],
    controllers: [Routes],
  }).compile();
  app = testing.createNestApplication({ logger: false });
  app.useGlobalFilters(new ErrorFilter());
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}
const get = async (url: string, token: string): Promise<[number, unknown]> => {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  return [response.status, text.startsWith('{') ? JSON.parse(text) : text];
};

describe('the option introspection of AuthModule', () => {
  it('opens routes with what the endpoint answers, but for those with an issuer of their own', async () => {
    const introspection = { url: `${endpoint.url}/introspect` };
    const url = await boot({ issuer: [issuer.issuer, OTHER], introspection });
    expect(await get(`${url}/of-module`, 'opaque')).toMatchObject([200, { iss: OTHER, sub: 'u1' }]);
    expect(await get(`${url}/optional`, 'opaque')).toEqual([200, 'u1']);
    expect(await get(`${url}/own-issuer`, 'opaque')).toMatchObject([401, {}]);
    expect((await get(`${url}/own-issuer`, await issuer.sign()))[0]).toBe(200);
    // One call for all of them.
    expect(endpoint.calls.length).toBe(1);
    endpoint.answer('/introspect', { body: { active: false } });
    expect((await get(`${url}/optional`, 'another'))[0]).toBe(401);
    endpoint.answer('/introspect', { status: 500 });
    expect(await get(`${url}/of-module`, 'a-third')).toMatchObject([
      503,
      { error: 'temporarily_unavailable', code: 'keys_unavailable' },
    ]);
  });

  it('of an issuer asks about its JWTs', async () => {
    const introspection = { url: `${endpoint.url}/introspect`, cacheTtl: 0 };
    const keys = issuer.jwksOptions.signing;
    const url = await boot({ issuers: [{ issuer: OTHER, keys, introspection }] });
    const token = await issuer.sign({ iss: OTHER, sub: undefined });
    expect(await get(`${url}/of-module`, token)).toMatchObject([200, { sub: 'u1' }]);
    endpoint.answer('/introspect', { body: { active: false } });
    expect((await get(`${url}/of-module`, token))[0]).toBe(401);
    expect(endpoint.calls.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'POST /introspect',
      'POST /introspect',
    ]);
  });

  it.each<[string, Partial<AuthModuleOptions>]>([
    ['the module', { introspection: { url: 'http://id.example/introspect' } }],
    [
      'an issuer',
      {
        issuers: [
          { issuer: issuer.issuer, own: true },
          { issuer: OTHER, introspection: { url: 'http://id.example/introspect' } },
        ],
      },
    ],
  ])('stops the boot where the one of %s cannot be used', async (_what, options) => {
    await expect(boot(options)).rejects.toThrow(
      /^the option introspection of AuthModule: http:\/\/id\.example\/introspect: must be https/,
    );
  });
});
