import type { OpenAPIObject } from '@nestjs/swagger';
import { expect, it } from 'vitest';
import { groupOperations, nameOperations } from './group-operations.js';

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

it('names operations after handler and controller, each differently, and says which need no token', () => {
  const operation = (operationId: string) => ({ operationId, responses: {} });
  const document = {
    openapi: '3.0.0',
    info: { title: 't', version: '1' },
    paths: {
      '/token': { post: operation('createToken') },
      '/orders': {
        get: operation('OrdersController_list'),
        post: operation('OrdersController_place'),
      },
      '/orders/{id}': { get: operation('OrdersController_list[1]') },
      '/orders/{id}/{part}': { get: operation('Orders_list') },
      '/all': { get: operation('OrdersController_list[2]') },
      '/most': { get: { ...operation('OrdersController_list[3]'), security: [{ bearer: [] }] } },
    },
  } as OpenAPIObject;
  const { paths } = nameOperations(document);
  expect(
    Object.entries(paths).flatMap(([path, { get, post }]) =>
      [get, post].flatMap((named) => (named ? [`${path} ${named.operationId}`] : [])),
    ),
  ).toEqual([
    '/token createToken',
    '/orders listOrders',
    '/orders placeOrders',
    '/orders/{id} listOrdersById',
    '/orders/{id}/{part} listOrdersByIdAndPart',
    '/all listOrders2',
    '/most listOrders3',
  ]);
  expect(paths['/token']?.post?.security).toEqual([]);
  expect(paths['/most']?.get?.security).toEqual([{ bearer: [] }]);
});
