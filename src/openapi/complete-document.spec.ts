import { Controller, Get, Post, UseGuards, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { compileRoutePolicy, REQUIRE_JWT, RequireJwt } from '../auth/index.js';
import { compileSigningPolicy } from '../core/sign/index.js';
import { Operation, type Route } from '../routes/index.js';
import { SignFields } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import { completeFrom, operationId } from './complete-document.js';
import type { OperationObject } from './document-types.js';

@Controller('orders')
@RequireJwt({ roles: ['clerk'] })
class OrdersController {
  @Get()
  @Operation({
    summary: 'Lists orders.',
    description: 'The newest first.',
    query: { limit: { type: 'integer' } },
    answers: {
      200: { description: 'A page.', schema: { type: 'array' } },
      204: { description: 'None.' },
    },
    errors: { 400: ['request_invalid'] },
  })
  list() {
    return [];
  }
  @Post()
  @Operation({
    summary: 'Orders.',
    body: { required: true, content: { 'application/json': { type: 'object' } } },
    callsBackend: true,
  })
  @RequireJwt({ scopes: ['order'] })
  order() {
    return {};
  }
}

@Controller('login')
@UseGuards(TokenThrottleGuard)
class LoginController {
  @Post()
  @SignFields('access_token')
  login() {
    return { access_token: {} };
  }
  @Post('logout')
  @Operation({ summary: 'Ends a session.', takesToken: true })
  logout() {}
}

const ITEM = { title: 'Item', type: 'object', properties: { title: { type: 'string' } } };
@Controller()
class TokenLikeController {
  @Post('issue')
  @Operation({ summary: 'Issues.', endpoint: 'token' })
  issue() {}

  @Get(['a', 'b'])
  @Operation({
    summary: 'Pages.',
    answers: {
      200: {
        description: 'A page.',
        schema: {
          title: 'Page',
          type: 'object',
          properties: { items: { type: 'array', items: ITEM } },
        },
      },
    },
  })
  page() {}

  @Get('c')
  @Operation({
    summary: 'Another thing of that name.',
    answers: { 200: { description: 'It.', schema: { title: 'Item', type: 'string' } } },
  })
  other() {}
}

@Controller('health')
class ProbeController {
  @Get('live')
  @Operation({ summary: 'Answers.' })
  live() {}

  @Get(['c', 'd'])
  @Operation({ summary: 'The same.', hidden: true })
  alias() {}
}

const DEFAULTS = { algorithms: ['ES256'], issuer: 'i', audience: 'a' } as const;
const reflector = new Reflector();

const routesOf = (controller: Type): Route[] =>
  Object.getOwnPropertyNames(controller.prototype)
    .filter((name) => name !== 'constructor')
    .map((name) => {
      const handler = (controller.prototype as Record<string, Route['handler']>)[name];
      return {
        controller,
        handler: handler as Route['handler'],
        kind: 'http',
        method: '',
        path: '',
        name,
        label: name,
        writesResponse: false,
        sendsEvents: false,
      };
    });

/** What `@nestjs/swagger` finds out for itself, completed. */
function complete(
  paths: Record<string, Record<string, Partial<OperationObject>>>,
  {
    throttled = false,
    schemas = {},
    clients,
  }: { throttled?: boolean; schemas?: object; clients?: { itself: boolean } } = {},
): OpenAPIObject {
  const completed = Object.entries(paths).map(([path, item]) => [
    path,
    Object.fromEntries(
      Object.entries(item).map(([method, operation]) => [method, { responses: {}, ...operation }]),
    ),
  ]);
  return completeFrom(
    {
      openapi: '3.0.0',
      info: { title: 'Test', version: '1' },
      paths: Object.fromEntries(completed) as OpenAPIObject['paths'],
      components: { schemas: { ...schemas } },
    },
    {
      routes: [OrdersController, LoginController, TokenLikeController, ProbeController].flatMap(
        routesOf,
      ),
      reflector,
      protectedRoutes: {
        defaults: () => compileRoutePolicy({}, DEFAULTS),
        policy: (handler, controller) =>
          compileRoutePolicy(
            reflector.getAllAndOverride(REQUIRE_JWT, [handler as Route['handler'], controller]) ??
              {},
            DEFAULTS,
          ),
      },
      signedRoutes: { policy: () => compileSigningPolicy({ fields: ['access_token'] }, {}) },
      throttled,
      shedsLoad: true,
      clients,
      hasBackend: true,
    },
  );
}
const list = { operationId: operationId('OrdersController', 'list') };
const order = { operationId: 'OrdersController_order' };
const login = { operationId: 'LoginController_login' };
const logout = { operationId: 'LoginController_logout' };
const live = { operationId: 'ProbeController_live' };
const codesOf = (operation: OperationObject | undefined) =>
  Object.fromEntries(
    Object.entries(operation?.responses ?? {}).map(([status, answer]) => [
      status,
      answer !== undefined && 'description' in answer ? answer.description : undefined,
    ]),
  );

describe('completeDocument', () => {
  it('lets "Authorize" ask the token endpoint', () => {
    const paths = {
      '/orders': { get: list, post: order },
      '/issue': { post: { operationId: 'TokenLikeController_issue' } },
    };
    const schemeOf = (clients?: { itself: boolean }) => {
      const { components, paths: completed } = complete(paths, { clients });
      expect(completed['/orders']?.get?.security).toEqual([{ login: [] }, { bearer: [] }]);
      return components?.securitySchemes?.login;
    };
    const flow = { tokenUrl: '/issue', scopes: { order: '' } };
    expect(schemeOf()).toMatchObject({
      description: expect.stringContaining('stay empty') as string,
      flows: { password: flow },
    });
    expect(schemeOf({ itself: true })).toMatchObject({
      description: expect.stringContaining('of a registered client') as string,
      flows: { password: flow, clientCredentials: flow },
    });
    // Without a token endpoint there is no login scheme.
    expect(complete({ '/orders': { get: list } }).components?.securitySchemes).toEqual({
      bearer: expect.any(Object) as object,
    });
  });

  it('makes components of schemas with a title, alike ones the same', () => {
    const { paths, components } = complete({
      '/a': { get: { operationId: 'TokenLikeController_page' } },
      '/b': { get: { operationId: 'TokenLikeController_page[1]' } },
      '/c': { get: { operationId: 'TokenLikeController_other' } },
    });
    expect(components?.schemas).toMatchObject({
      Page: {
        type: 'object',
        properties: { items: { items: { $ref: '#/components/schemas/Item' } } },
      },
      Item: { type: 'object', properties: { title: { type: 'string' } } },
      Item2: { type: 'string' },
    });
    expect(JSON.stringify([paths['/a'], paths['/b']])).toContain(
      '"$ref":"#/components/schemas/Page"',
    );
    expect(JSON.stringify(paths['/c'])).toContain('"$ref":"#/components/schemas/Item2"');
  });

  it('knows parameters of a path that no decorator names', () => {
    const id = { in: 'path' as const, name: 'id', required: true };
    const { paths } = complete({ '/orders/{id}/{rest}': { get: { ...list, parameters: [id] } } });
    expect(paths['/orders/{id}/{rest}']?.get?.parameters).toEqual([
      { in: 'path', name: 'rest', required: true, schema: { type: 'string' } },
      id,
      expect.objectContaining({ name: 'limit' }),
    ]);
  });

  it('knows a route at each of its paths, and leaves out what is hidden', () => {
    const { paths } = complete({
      '/a': { get: { operationId: 'OrdersController_list[0]' } },
      '/b': { get: { operationId: 'OrdersController_list[1]' } },
      '/c': { get: { operationId: 'ProbeController_alias[0]' } },
      '/d': { get: { operationId: 'ProbeController_alias[1]' }, post: list },
    });
    for (const path of ['/a', '/b'])
      expect(paths[path]?.get).toMatchObject({ security: expect.any(Array) as unknown });
    expect(Object.keys(paths)).toEqual(['/a', '/b', '/d']);
    expect(Object.keys(paths['/d'] ?? {})).toEqual(['post']);
  });

  it('writes what the decorators of a route say', () => {
    const { paths, components } = complete({ '/orders': { get: list } });
    expect(paths['/orders']?.get).toEqual({
      ...list,
      summary: 'Lists orders.',
      description:
        'The newest first.\n\nNeeds a token. Needs any of the roles `clerk` (claim `roles`).',
      parameters: [{ in: 'query', name: 'limit', schema: { type: 'integer' } }],
      security: [{ bearer: [] }],
      responses: expect.objectContaining({
        200: {
          description: 'A page.',
          content: { 'application/json': { schema: { type: 'array' } } },
        },
        204: { description: 'None.' },
      }) as object,
    });
    expect(codesOf(paths['/orders']?.get)).toEqual({
      200: 'A page.',
      204: 'None.',
      400: '`request_invalid`, `token_ambiguous`',
      401: '`token_missing`, `invalid_token`',
      403: '`roles_missing`',
      503: '`overloaded`, `keys_unavailable`, `state_unavailable`',
    });
    expect(components?.securitySchemes).toHaveProperty('bearer');
    expect(components?.schemas).toHaveProperty('Error.required');
  });

  it('takes the method before the class, and adds what body and backend may answer', () => {
    const { paths } = complete({ '/orders': { post: order } });
    const operation = paths['/orders']?.post;
    expect(operation?.requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { type: 'object' } } },
    });
    expect(operation?.description).toBe('Needs a token. Needs any of the scopes `order`.');
    expect(codesOf(operation)).toMatchObject({
      400: '`body_malformed`, `token_ambiguous`',
      403: '`scopes_missing`',
      413: '`body_too_large`',
      415: '`media_type_unsupported`',
      502: '`backend_unavailable`, `backend_bad_response`',
      504: '`backend_timeout`',
      '4XX': expect.stringContaining('own refusal') as string,
    });
  });

  it('adds signed fields, and what signing may fail with', () => {
    const answers = { 200: { description: 'Tokens.' } };
    const { paths } = complete({ '/login': { post: { ...login, responses: answers } } });
    expect(paths['/login']?.post?.responses[200]).toMatchObject({
      content: {
        'application/json': { schema: { properties: { access_token: { format: 'jwt' } } } },
      },
    });
    expect(codesOf(paths['/login']?.post)[502]).toContain('`claims_expired`');
    expect(paths['/login']?.post?.security).toBeUndefined();
  });

  it('asks for a token where the handler reads it itself', () => {
    const { paths } = complete({ '/login/logout': { post: logout } });
    expect(paths['/login/logout']?.post?.security).toEqual([{ bearer: [] }]);
  });

  it.each([true, false])('names the limit where there is one: %s', (throttled) => {
    const { paths } = complete(
      { '/login': { post: login }, '/orders': { get: list } },
      { throttled },
    );
    expect(codesOf(paths['/login']?.post)[429]).toBe(throttled ? '`rate_limited`' : undefined);
    expect(codesOf(paths['/orders']?.get)[429]).toBeUndefined();
  });

  it('says nothing of overload at probes, which are answered under any load', () => {
    const { paths } = complete({ '/health/live': { get: live } });
    expect(paths['/health/live']?.get?.responses).toEqual({});
  });

  it("keeps what @nestjs/swagger's own decorators said", () => {
    const own = {
      summary: 'Mine.',
      description: 'My words.',
      parameters: [
        { in: 'path' as const, name: 'id', required: true },
        { in: 'query' as const, name: 'replaced' },
      ],
      responses: { 401: { description: 'My refusal.' } },
    };
    const { paths } = complete({ '/orders': { get: { ...list, ...own } } });
    const operation = paths['/orders']?.get;
    expect(operation?.summary).toBe('Mine.');
    expect(operation?.description).toMatch(/^My words\.\n\nThe newest first\.\n\nNeeds a token\./);
    expect(operation?.parameters).toMatchObject([{ name: 'id' }, { name: 'limit' }]);
    expect(codesOf(operation)[401]).toBe('My refusal.');
  });

  it('leaves operations alone that it does not know', () => {
    const { paths } = complete({ '/metrics': { get: { operationId: 'OtherController_get' } } });
    expect(paths['/metrics']?.get).toEqual({ operationId: 'OtherController_get', responses: {} });
  });

  it('drops schemas of classes that nobody described, unless they are referred to', () => {
    const schemas = {
      Empty: { type: 'object', properties: {} },
      Used: { type: 'object', properties: {} },
      Described: { type: 'object', properties: { id: {} } },
    };
    const { components } = complete(
      {
        '/other': {
          get: {
            responses: {
              200: {
                description: '',
                content: { 'application/json': { schema: { $ref: '#/components/schemas/Used' } } },
              },
            },
          },
        },
      },
      { schemas },
    );
    expect(Object.keys(components?.schemas ?? {}).toSorted()).toEqual([
      'Described',
      'Error',
      'Used',
    ]);
  });
});
