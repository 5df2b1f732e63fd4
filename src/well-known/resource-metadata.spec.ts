import { describe, expect, it } from 'vitest';
import { compilePolicy, type RoutePolicyOptions } from '../core/verify/index.js';
import {
  describeRoute,
  resourceMetadata,
  routesBelow,
  type ResourceRoute,
} from './resource-metadata.js';

const DEFAULTS = { algorithms: ['ES256'], issuer: 'https://own.example', audience: 'api' } as const;
const route = (path: string, options: RoutePolicyOptions = {}): ResourceRoute =>
  describeRoute(path, compilePolicy(options, DEFAULTS));
const metadata = (...routes: RoutePolicyOptions[]): object =>
  resourceMetadata(
    'https://gw.example',
    routes.map((options) => route('/', options)),
    {},
  );

describe('routesBelow', () => {
  it.each<[path: string, asked: string, isBelow: boolean]>([
    ['/', '', true],
    ['/', '/a', false],
    ['/orders', '', true],
    ['/orders', '/orders', true],
    ['/orders', '/Orders/', true],
    ['/orders', '/order', false],
    ['/orders', '/orders/7', false],
    ['/orders/:id', '/orders', true],
    ['/orders/:id', '/orders/7', true],
    ['/orders/:id', '/orders/7/lines', false],
    ['/orders/:id.json', '/orders/7.json', true],
    ['/:tenant/orders', '/acme', true],
    ['/:tenant/orders', '/acme/orders', true],
    ['/:tenant/orders', '/acme/other', false],
    ['/files/*path', '/files', true],
    ['/files/*path', '/files/a/b', true],
    ['/files/*path', '/other', false],
    ['/files{/:name}', '/files', true],
    ['/files{/:name}', '/files/a', true],
    ['/files{/:name}', '/filesx', false],
    ['/file{s}', '/files', true],
    ['/*path', '/a/b', true],
  ])('%s, asked for %s: %s', (path, asked, isBelow) => {
    expect(routesBelow(asked, [route(path)])).toHaveLength(isBelow ? 1 : 0);
  });
});

describe('resourceMetadata (RFC 9728 section 2)', () => {
  it('of a bare route', () => {
    expect(metadata({})).toEqual({
      resource: 'https://gw.example',
      authorization_servers: ['https://own.example'],
      bearer_methods_supported: ['header'],
    });
  });

  it.each<[string, RoutePolicyOptions[], object]>([
    ['scopes of all routes, once', [{ scopes: ['a', 'b'] }, { scopes: ['b', 'c'] }, {}], { scopes_supported: ['a', 'b', 'c'] }],
    ['issuers of all routes, once, without those that are no URLs', [{}, { issuers: [{ issuer: 'https://own.example', own: true }, { issuer: 'https://id.example/t' }, { issuer: 'urn:x' }, { issuer: 'https://id.example?q' }] }], { authorization_servers: ['https://own.example', 'https://id.example/t'] }],
    ['a name for people', [], { resource_name: 'Orders' }],
    ['no bearer method of another header', [{ authHeaderName: 'X-Api-Key' }], { bearer_methods_supported: undefined }],
    ['no bearer method where tokens are bound', [{ dpop: 'required' }], { bearer_methods_supported: undefined, dpop_bound_access_tokens_required: true }],
    ['bound tokens that are needed on some routes only', [{ dpop: 'required' }, { dpop: true }], { bearer_methods_supported: ['header'], dpop_bound_access_tokens_required: undefined }],
    ['algorithms of proofs that do on all routes', [{ dpop: true, dpopAlgorithms: ['ES256', 'EdDSA'] }, { dpop: true, dpopAlgorithms: ['EdDSA', 'RS256'] }, { dpop: false }], { dpop_signing_alg_values_supported: ['EdDSA'] }],
    ['no empty list of them', [{ dpop: true, dpopAlgorithms: ['ES256'] }, { dpop: true, dpopAlgorithms: ['RS256'] }], { dpop_signing_alg_values_supported: undefined }],
  ])('%s', (_, routes, expected) => {
    const described = (routes.length > 0 ? routes : [{}]).map((options) => route('/', options));
    const found = resourceMetadata('https://gw.example', described, { resourceName: 'Orders' });
    for (const [name, value] of Object.entries(expected)) expect(found[name]).toEqual(value);
  }); // prettier-ignore
});
