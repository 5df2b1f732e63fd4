import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Get, Module, Post, Sse, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Args,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import {
  ClientProxyFactory,
  Ctx,
  MessagePattern,
  Payload,
  TcpContext,
  Transport,
} from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import { firstValueFrom, of } from 'rxjs';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  AuthModule,
  BootError,
  Claims,
  ErrorFilter,
  JwksModule,
  Public,
  RequireJwt,
  SignFields,
  SigningModule,
  type ClaimsValidator,
  type VerifiedClaims,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { nowSeconds } from '../../src/core/time/index.js';
import { call } from '../helpers/network/http.js';
import { part } from '../helpers/issuers/keys.js';

const issuer = createTestIssuer();
const MODULES = [
  JwksModule.forRoot(issuer.jwksOptions),
  SigningModule.forRoot({ alg: issuer.alg }),
  AuthModule.forRoot({ ...issuer.authOptions, logRefusals: false }),
];

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

interface Pieces {
  controllers?: Type[];
  providers?: Type[];
  imports?: (DynamicModule | Promise<DynamicModule>)[];
}

async function start(
  { controllers = [], providers = [], imports = [] }: Pieces,
  { fastify = false, ws }: { fastify?: boolean; ws?: typeof IoAdapter | typeof WsAdapter } = {},
): Promise<{ url: string; app: Awaited<ReturnType<typeof NestFactory.create>> }> {
  @Module({ imports: [...MODULES, ...imports], controllers, providers })
  class App {}
  const options = { logger: false, abortOnError: false } as const;
  const app = fastify
    ? await NestFactory.create(App, new FastifyAdapter(), options)
    : await NestFactory.create(App, options);
  opened.push(app);
  if (ws !== undefined) app.useWebSocketAdapter(new ws(app));
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, app };
}

/** What a request with this token gets: the subject that the handler saw, or the code. */
type Ask = (token?: string) => Promise<unknown>;

/** The same for all contexts. */
async function expectVerdicts(ask: Ask): Promise<void> {
  const clerk = { sub: '42', roles: ['clerk'] };
  expect({
    good: await ask(await issuer.sign(clerk)),
    none: await ask(),
    guest: await ask(await issuer.sign({ sub: '42' })),
    expired: await ask(await issuer.sign({ ...clerk, exp: 1 })),
    forged: await ask(await createTestIssuer({ kid: issuer.kid }).sign(clerk)),
    noToken: await ask('abc'),
  }).toEqual({
    good: '42',
    none: 'token_missing',
    guest: 'roles_missing',
    expired: 'token_expired',
    forged: 'signature_invalid',
    noToken: 'token_malformed',
  });
}
const headersOf = (token?: string): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

@Controller()
class Http {
  @Get('orders') @RequireJwt({ roles: ['clerk'] }) orders(@Claims('sub') sub: string) {
    return { sub };
  }
  @Get('open') open() {
    return { sub: 'anybody' };
  }
  @Sse('events') @RequireJwt({ roles: ['clerk'] }) events(@Claims('sub') sub: string) {
    return of({ data: { sub } });
  }
  @Post('receipts') @RequireJwt() @SignFields('receipt') receipt(@Claims('sub') sub: string) {
    return { receipt: { sub, order: 7 } };
  }
}

describe.each([false, true])('HTTP, Fastify: %s', (fastify) => {
  it('routes', async () => {
    const { url } = await start({ controllers: [Http] }, { fastify });
    await expectVerdicts(async (token) => {
      const { json } = await call(`${url}/orders`, { headers: headersOf(token) });
      return json.sub ?? json.code;
    });
    expect((await call(`${url}/open`)).json.sub).toBe('anybody');
    const refused = await call(`${url}/orders`);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="signet"',
    ]);
  });

  it('two Authorization headers are refused', async () => {
    const { url } = await start({ controllers: [Http] }, { fastify });
    const token = await issuer.sign({ sub: '42', roles: ['clerk'] });
    const status = await new Promise((done, fail) => {
      const headers = ['Authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`];
      request(`${url}/orders`, { headers: [...headers, 'Host', 'a'] }, (response) =>
        done(response.resume().statusCode),
      )
        .on('error', fail)
        .end();
    });
    expect(status).toBe(400);
  });

  it('events of a server', async () => {
    const { url } = await start({ controllers: [Http] }, { fastify });
    await expectVerdicts(async (token) => {
      const { text, json } = await call(`${url}/events`, { headers: headersOf(token) });
      return /"sub":"(\w+)"/.exec(text)?.[1] ?? json.code;
    });
  });

  it('signed fields, which no cache keeps', async () => {
    const { url } = await start({ controllers: [Http] }, { fastify });
    const headers = headersOf(await issuer.sign({ sub: '42' }));
    const { json, headers: answered } = await call(`${url}/receipts`, { method: 'POST', headers });
    expect(part(String(json.receipt), 1)).toMatchObject({ sub: '42', order: 7 });
    expect([answered.get('cache-control'), answered.get('pragma')]).toEqual([
      'no-store',
      'no-cache',
    ]);
  });

  it('the error filter', async () => {
    @Module({ imports: MODULES, controllers: [Http] })
    class App {}
    const options = { logger: false } as const;
    const app = fastify
      ? await NestFactory.create(App, new FastifyAdapter(), options)
      : await NestFactory.create(App, options);
    opened.push(app);
    app.useGlobalFilters(new ErrorFilter());
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const { status, json, headers } = await call(`http://127.0.0.1:${port}/orders`);
    expect([status, json.code, json.request_id, headers.get('cache-control')]).toEqual([
      401,
      'token_missing',
      headers.get('x-request-id'),
      'no-store',
    ]);
    expect((await call(`http://127.0.0.1:${port}/nowhere`)).json.code).toBe('not_found');
  });
});

@ObjectType()
class Order {
  @Field(() => Int) id!: number;
  @Field() sub!: string;
  @Field() receipt!: string;
}
@Resolver(() => Order)
class OrdersResolver {
  @Query(() => String) @RequireJwt({ roles: ['clerk'] }) me(@Claims('sub') sub: string) {
    return sub;
  }
  @Query(() => String) open() {
    return 'anybody';
  }
  @Mutation(() => Order)
  @RequireJwt()
  @SignFields('receipt')
  place(@Args('id', { type: () => Int }) id: number, @Claims() claims: VerifiedClaims) {
    return { id, sub: claims.sub, receipt: { order: id } };
  }
}
/** Fields of one request, for each of which the token is something else. */
@Resolver()
class TwoPolicies {
  @Query(() => String)
  @RequireJwt({ optional: 'lenient', audience: 'https://others.example' })
  guest(@Claims('sub') sub?: string) {
    return sub ?? 'nobody';
  }
  @Query(() => String) @RequireJwt() me(@Claims('sub') sub: string) {
    return sub;
  }
}
const apollo = GraphQLModule.forRoot<ApolloDriverConfig>({
  driver: ApolloDriver,
  autoSchemaFile: true,
});
const mercurius = GraphQLModule.forRoot<MercuriusDriverConfig>({
  driver: MercuriusDriver,
  autoSchemaFile: true,
});

describe.each([
  ['Apollo on Express', apollo, false],
  ['Mercurius on Fastify', mercurius, true],
])('GraphQL: %s', (_name, graphql, fastify) => {
  const ask = async (url: string, query: string, token?: string) => {
    const { json } = await call(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersOf(token) },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = json as {
      data?: Record<string, unknown> | null;
      errors?: { message: string; extensions: Record<string, unknown> }[];
    };
    return { data, extensions: errors?.[0]?.extensions, message: errors?.[0]?.message };
  };

  it('queries', async () => {
    const { url } = await start({ imports: [graphql], providers: [OrdersResolver] }, { fastify });
    await expectVerdicts(async (token) => {
      const { data, extensions } = await ask(url, '{ me }', token);
      return data?.me ?? extensions?.reason;
    });
    expect((await ask(url, '{ open }')).data).toEqual({ open: 'anybody' });
    const codeOf = async (token?: string) => (await ask(url, '{ me }', token)).extensions?.code;
    expect([await codeOf(), await codeOf(await issuer.sign())]).toEqual([
      'UNAUTHENTICATED',
      'FORBIDDEN',
    ]);
  });

  it('each field has the claims that its own policy accepts', async () => {
    const { url } = await start({ imports: [graphql], providers: [TwoPolicies] }, { fastify });
    const token = await issuer.sign({ sub: '42' });
    for (const query of ['{ guest me }', '{ me guest }', '{ guest me again: guest }'])
      expect((await ask(url, query, token)).data).toMatchObject({ guest: 'nobody', me: '42' });
  });

  it('signed fields', async () => {
    const { url } = await start({ imports: [graphql], providers: [OrdersResolver] }, { fastify });
    const { data } = await ask(
      url,
      'mutation { place(id: 7) { id sub receipt } }',
      await issuer.sign({ sub: '42' }),
    );
    const placed = data?.place as Record<string, unknown>;
    expect(placed).toMatchObject({ id: 7, sub: '42' });
    expect(part(String(placed.receipt), 1)).toMatchObject({ order: 7 });
  });
});

describe('fields of GraphQL types', () => {
  @Resolver(() => Order)
  class Fields {
    @Query(() => String) open() {
      return 'anybody';
    }
    @ResolveField(() => String) @RequireJwt() secret() {
      return 'x';
    }
  }
  it('need guards around fields', async () => {
    const starting = start({ imports: [apollo], providers: [Fields] });
    await expect(starting).rejects.toThrow(
      /Field secret \(Fields\.secret\): Nest runs no guard before the fields of a type/,
    );
  });
});

@WebSocketGateway()
class Gateway {
  @SubscribeMessage('me') @RequireJwt({ roles: ['clerk'] }) me(@Claims('sub') sub: string) {
    return { event: 'me', data: sub };
  }
  @SubscribeMessage('open') open() {
    return { event: 'me', data: 'anybody' };
  }
}
@WebSocketGateway()
@RequireJwt()
class ClosedGateway implements OnGatewayConnection {
  static readonly seen: unknown[] = [];
  handleConnection(client: { user?: { sub?: string } }) {
    ClosedGateway.seen.push(client.user?.sub);
  }
  @SubscribeMessage('me') me(@Claims('sub') sub: string, @ConnectedSocket() _client: unknown) {
    return { event: 'me', data: sub };
  }
}

/** Takes its time to find out that a user is banned. */
const admit: ClaimsValidator = async ({ sub }) => {
  if (sub !== 'banned') return;
  await new Promise((resolve) => setTimeout(resolve, 100));
  throw new WsException({ status: 'error', code: 'banned' });
};
/** Only its connections are protected: whoever has one may say anything. */
@WebSocketGateway()
class Lobby implements OnGatewayConnection {
  static readonly heard: unknown[] = [];
  @RequireJwt({ validate: admit }) handleConnection() {}
  @SubscribeMessage('say') say() {
    Lobby.heard.push('said');
    return { event: 'me', data: 'said' };
  }
}

type Place = 'header' | 'auth' | 'subprotocol';

/** Sends a message; resolves with what comes back, `closed`, and whether it was closed later. */
function socketIo(url: string, place: Place, token?: string) {
  const client = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    ...(place === 'auth' ? { auth: { token } } : { extraHeaders: headersOf(token) }),
  });
  opened.push(client);
  const ended = new Promise<string>((done) => client.once('disconnect', () => done('closed')));
  const told = new Promise<unknown>((done) => {
    client.once('me', done);
    client.once('exception', ({ code }: { code?: string }) => done(code));
  });
  return { told: Promise.race([told, ended]), ended, send: (name: string) => client.emit(name) };
}
function plainWs(url: string, place: Place, token?: string) {
  const address = url.replace('http', 'ws');
  const client =
    place === 'subprotocol' && token !== undefined
      ? new WebSocket(address, ['bearer', token])
      : new WebSocket(address, { headers: headersOf(token) });
  opened.push({ close: () => client.terminate() });
  const ended = new Promise<string>((done) =>
    client.once('close', (code) => done(`closed ${code}`)),
  );
  const told = new Promise<unknown>((done) => {
    client.on('message', (text: Buffer) => {
      const { data } = JSON.parse(text.toString()) as { data: { code?: string } | string };
      done(typeof data === 'string' ? data : data.code);
    });
  });
  return {
    told: Promise.race([told, ended]),
    ended,
    send: (name: string) => {
      const send = () => client.send(JSON.stringify({ event: name, data: {} }));
      if (client.readyState === WebSocket.OPEN) send();
      else client.once('open', send);
    },
  };
}

describe.each([
  ['socket.io', IoAdapter, socketIo, ['header', 'auth'] as Place[]],
  ['ws', WsAdapter, plainWs, ['header', 'subprotocol'] as Place[]],
] as const)('WebSocket: %s', (_name, ws, connect, places) => {
  it.each(places)('messages, with the token in the %s', async (place) => {
    const { url } = await start({ providers: [Gateway] }, { ws });
    await expectVerdicts(async (token) => {
      const client = connect(url, place, token);
      client.send('me');
      return client.told;
    });
    const anonymous = connect(url, place);
    anonymous.send('open');
    expect(await anonymous.told).toBe('anybody');
  });

  it('a connection ends when its token expires', async () => {
    const { url } = await start({ providers: [Gateway] }, { ws });
    const claims = { sub: '42', roles: ['clerk'], exp: nowSeconds() + 1 };
    const client = connect(url, 'header', await issuer.sign(claims));
    client.send('me');
    expect(await client.told).toBe('42');
    expect(await client.ended).toMatch(/^closed(?: 1008)?$/);
    expect(nowSeconds()).toBeGreaterThan(claims.exp);
  });

  it('no message is heard before the connection is accepted', async () => {
    Lobby.heard.length = 0;
    const { url } = await start({ providers: [Lobby] }, { ws });
    const known = connect(url, 'header', await issuer.sign({ sub: '42' }));
    known.send('say');
    expect(await known.told).toBe('said');
    for (const [token, code] of [
      [undefined, 'token_missing'],
      [await issuer.sign({ sub: 'banned' }), 'banned'],
    ]) {
      const refused = connect(url, 'header', token);
      for (let i = 0; i < 5; i++) refused.send('say');
      expect(await refused.told).toBe(code);
      expect(await refused.ended).toMatch(/^closed/);
    }
    expect(Lobby.heard).toEqual(['said']);
  });

  it('a decorated gateway lets nobody stay connected without a token', async () => {
    ClosedGateway.seen.length = 0;
    const { url } = await start({ providers: [ClosedGateway] }, { ws });
    const anonymous = connect(url, 'header');
    expect(await anonymous.told).toBe('token_missing');
    expect(await anonymous.ended).toMatch(/^closed/);
    const known = connect(url, 'header', await issuer.sign({ sub: '42' }));
    known.send('me');
    expect(await known.told).toBe('42');
    expect(ClosedGateway.seen).toEqual(['42']);
  });
});

it('a client of ws that does not go when it is told to is not heard any more', async () => {
  Lobby.heard.length = 0;
  const { url } = await start({ providers: [Lobby] }, { ws: WsAdapter });
  const token = await issuer.sign({ sub: '42', exp: nowSeconds() + 1 });
  const { hostname, port } = new URL(url);
  const upgrading = request({
    hostname,
    port,
    headers: {
      ...headersOf(token),
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    },
  }).end();
  const [, socket] = (await once(upgrading, 'upgrade')) as [unknown, Socket];
  onTestFinished(() => void socket.destroy());
  /** A short frame of text with a mask of zeros (RFC 6455 section 5.2). */
  const say = (): void => {
    const text = Buffer.from('{"event":"say","data":{}}');
    socket.write(Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), text]));
  };
  const received: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  const text = (): string => Buffer.concat(received).toString('latin1');
  say();
  await vi.waitFor(() => expect(text()).toContain('said'));
  await vi.waitFor(() => expect(text()).toContain('token expired'), { timeout: 5000 });
  for (let i = 0; i < 5; i++) say();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(Lobby.heard).toEqual(['said']);
});

it('a microservice over TCP: the token is a member of the data', async () => {
  @Controller()
  class Service {
    @MessagePattern('me') @RequireJwt({ roles: ['clerk'] }) me(
      @Payload() _data: unknown,
      @Ctx() context: TcpContext & { user?: { sub?: string } },
      @Claims('sub') sub: string,
    ) {
      expect(context.user?.sub).toBe(sub);
      return sub;
    }
    @MessagePattern('open') open() {
      return 'anybody';
    }
  }
  @Module({ imports: MODULES, controllers: [Service] })
  class App {}
  const app = await NestFactory.create(App, { logger: false });
  const service = app.connectMicroservice({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
  });
  opened.push(app);
  await app.startAllMicroservices();
  await app.init();
  const { port } = service.unwrap<Server>().address() as AddressInfo;
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  opened.push(client);
  const ask = (pattern: string, data: object) =>
    firstValueFrom(client.send<unknown>(pattern, data)).catch(({ code }: { code: string }) => code);
  await expectVerdicts((token) => ask('me', headersOf(token)));
  expect(await ask('open', {})).toBe('anybody');
});

it('a decorated gateway without messages lets nobody stay connected without a token', async () => {
  @WebSocketGateway()
  @RequireJwt()
  class Broadcast {}
  const { url } = await start({ providers: [Broadcast] }, { ws: WsAdapter });
  const anonymous = plainWs(url, 'header');
  expect(await anonymous.told).toBe('token_missing');
  expect(await anonymous.ended).toBe('closed 1008');
});

describe('what is not supported refuses the boot by name', () => {
  @Controller()
  class SignedEvents {
    @Sse('events') @SignFields('a') events() {
      return of({ data: {}, a: {} });
    }
  }
  @WebSocketGateway()
  class SignedMessages {
    @SubscribeMessage('m') @SignFields('a') message() {
      return { a: {} };
    }
  }
  class Nothing {
    @RequireJwt() work() {}
  }
  @WebSocketGateway()
  class Hidden {
    handleConnection = () => undefined;
  }
  @WebSocketGateway()
  @RequireJwt({ roles: [] })
  class NoRoles {}
  @Controller()
  class Both {
    @Get() @RequireJwt() @Public() both() {}
  }
  it.each<[string, Pieces, RegExp]>([
    ['@Sse', { controllers: [SignedEvents] }, /GET \/events .*@SignFields does not work for @Sse/],
    ['messages', { providers: [SignedMessages] }, /MESSAGE m .*@SignFields does not work for mess/],
    ['no route', { providers: [Nothing] }, /Nothing\.work: @RequireJwt stands on what is no route/],
    ['hidden', { providers: [Hidden] }, /\(Hidden\.handleConnection\): connections are not seen/],
    ['no roles', { providers: [NoRoles] }, /CONNECT \/ \(NoRoles.*'roles' is empty/],
    ['both', { controllers: [Both] }, /GET \/ \(Both\.both\): @RequireJwt and @Public both/],
  ])('%s', async (_name, pieces, problem) => {
    // The default of Nest, which looks for it beside its own packages only.
    const starting = start(pieces, { ws: IoAdapter });
    await expect(starting).rejects.toThrow(problem);
    await expect(starting).rejects.toThrow(BootError);
  });
});
