import { NotFoundException } from '@nestjs/common';
import { Reflector, type HttpAdapterHost } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import type { ProtectedRoutes } from '../auth/index.js';
import type { JwkKeyStore } from '../jwks/index.js';
import { Operation, type Route, type RouteExplorer } from '../routes/index.js';
import { MetadataController } from './metadata.controller.js';

const OPTIONS = {
  issuer: 'https://issuer.example',
  grants: ['password'],
  authMethods: ['none'],
  introspection: [],
  docs: false,
};
const KEYS = [{ alg: 'ES256' }, { alg: 'EdDSA' }, { alg: 'ES256' }, { kty: 'EC' }];

class LoginController {
  @Operation({ summary: 'Log in.', endpoint: 'token' }) token() {}
  @Operation({ summary: 'Another route.' }) other() {}
}
const EXPLORER = {
  routes: () =>
    (['token', 'other'] as const).map((name) => ({
      controller: LoginController,
      handler: LoginController.prototype[name],
    })),
  paths: ({ handler }: Route) => [`/${handler.name}`, '/elsewhere'],
} as unknown as RouteExplorer;

function controllerOf(options: { publicUrl?: string; issuer?: string }, port = 8080) {
  const server = { address: () => ({ port }) };
  const host = { httpAdapter: { getHttpServer: () => server } } as unknown as HttpAdapterHost;
  const keys = { publicJwks: () => ({ keys: KEYS }) } as unknown as JwkKeyStore;
  const routes = { scopes: () => ['read'] } as unknown as ProtectedRoutes;
  return new MetadataController(
    { ...OPTIONS, ...options },
    host,
    keys,
    EXPLORER,
    new Reflector(),
    undefined,
    routes,
  );
}

describe('MetadataController', () => {
  it.each([
    ['https://gw.example', 8080, 'https://gw.example/token'],
    ['https://gw.example/', 8080, 'https://gw.example/token'],
    ['https://gw.example/auth/', 8080, 'https://gw.example/auth/token'],
    // The port that is listened on, where there is no public URL.
    [undefined, 43_210, 'http://localhost:43210/token'],
  ])('of the public URL %s and port %i tells %s', (publicUrl, port, endpoint) => {
    const controller = controllerOf({ publicUrl }, port);
    const metadata = controller.authorizationServer();
    expect(metadata).toMatchObject({ token_endpoint: endpoint });
    expect(controller.openidConfiguration()).toEqual(metadata);
  });

  it('tells the algorithms of the keys and the scopes of the routes', () => {
    expect(controllerOf({}).authorizationServer()).toMatchObject({
      id_token_signing_alg_values_supported: ['ES256', 'EdDSA'],
      scopes_supported: ['read'],
    });
  });

  it.each([
    ['https://a/tenants/1', ['tenants', '1']],
    ['https://a/tenants/1/', ['tenants', '1']],
    ['https://a/t%C3%A4', ['tä']],
  ])('tells those of the issuer %s at its path', (issuer, path) => {
    const controller = controllerOf({ issuer });
    expect(controller.ofPath({ path })).toEqual(controller.authorizationServer());
  });

  it.each([
    ['https://a/tenants/1', ['tenants', '2']],
    ['https://a/tenants/1', ['tenants']],
    ['https://a/tenants/1', ['tenants', '1', '2']],
    ['https://a', ['']],
    ['https://a', ['a']],
    ['urn:a', ['a']],
    ['https://a/%ff', ['ÿ']],
  ])('knows no other path: %s at %j', (issuer, path) => {
    expect(() => controllerOf({ issuer }).ofPath({ path })).toThrow(NotFoundException);
  });
});
