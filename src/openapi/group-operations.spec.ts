import type { OpenAPIObject } from '@nestjs/swagger';
import { expect, it } from 'vitest';
import { groupOperations } from './group-operations.js';

it('puts what everybody needs first, and keeps the groups of other routes', () => {
  const operation = (tag: string) => ({ tags: [tag], responses: {} });
  const document = {
    openapi: '3.0.0',
    info: { title: 't', version: '1' },
    paths: {
      '/admin/revocations': { get: operation('AdminRevocations') },
      '/health/live': { get: operation('Health') },
      '/tokens': { get: operation('Tokens') },
      '/logout': { post: operation('Logout') },
      '/token/revoke': { post: operation('RevocationEndpoint') },
      '/orders': { get: operation('Orders'), post: operation('Orders') },
      '/token': { post: operation('Token') },
      '/.well-known/jwks.json': { get: operation('Jwks') },
    },
  } as OpenAPIObject;
  const { paths, tags } = groupOperations(document);
  expect(Object.keys(paths)).toEqual([
    '/token',
    '/token/revoke',
    '/logout',
    '/orders',
    '/tokens',
    '/.well-known/jwks.json',
    '/health/live',
    '/admin/revocations',
  ]);
  expect(tags?.map(({ name }) => name)).toEqual([
    'Token',
    'Sessions',
    'Orders',
    'Tokens',
    'Discovery',
    'Health',
    'Administration',
  ]);
  expect(paths['/logout']?.post?.tags).toEqual(['Sessions']);
});
