// The same application for all versions of Nest, all contexts and all ways to build it. It asks itself with
// good and bad tokens and prints what became of them; see test/long/consumers.e2e-spec.ts.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Controller,
  Get,
  Module,
  Post,
  UseFilters,
  type DynamicModule,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Field, GraphQLModule, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import {
  AuthModule,
  Claims,
  ErrorFilter,
  JwksModule,
  Public,
  RequireJwt,
  SignFields,
  SigningModule,
  StateModule,
} from 'nest-signet';
import { createTestIssuer } from 'nest-signet/testing';
import { firstValueFrom } from 'rxjs';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';

const issuer = createTestIssuer();
const other = createTestIssuer({ kid: issuer.kid });

class ClerkClaims {
  @IsString() tenant!: string;
}

@Controller()
export class OrdersController {
  @Get('me') @RequireJwt({ roles: ['clerk'], claims: ClerkClaims }) me(@Claims('sub') sub: string) {
    return { sub };
  }
  @Get('open') @Public() open() {
    return { sub: 'anybody' };
  }
  @Post('receipts') @RequireJwt() @SignFields('receipt') receipt(@Claims('sub') sub: string) {
    return { receipt: { sub, order: 7 } };
  }
}

@ObjectType()
export class Order {
  @Field() receipt!: string;
}

@Resolver(() => Order)
export class OrdersResolver {
  @Query(() => String) @RequireJwt({ roles: ['clerk'] }) me(@Claims('sub') sub: string) {
    return sub;
  }
  @Query(() => String) @Public() open() {
    return 'anybody';
  }
  @Mutation(() => Order) @RequireJwt() @SignFields('receipt') place(@Claims('sub') sub: string) {
    return { receipt: { sub, order: 7 } };
  }
}

// Nest 11 itself tells clients of ws nothing about an exception.
@UseFilters(new ErrorFilter())
@WebSocketGateway()
export class OrdersGateway {
  @SubscribeMessage('me') @RequireJwt({ roles: ['clerk'] }) me(@Claims('sub') sub: string) {
    return { event: 'told', data: { sub } };
  }
  @SubscribeMessage('open') @Public() open() {
    return { event: 'told', data: { sub: 'anybody' } };
  }
}

@Controller()
export class OrdersService {
  @MessagePattern('me') @RequireJwt({ roles: ['clerk'] }) me(
    @Payload() _data: object,
    @Claims('sub') sub: string,
  ) {
    return { sub };
  }
  @MessagePattern('open') @Public() open() {
    return { sub: 'anybody' };
  }
}

interface Pieces {
  controllers?: Type[];
  providers?: Type[];
  imports?: (DynamicModule | Promise<DynamicModule>)[];
}
function applicationOf({ imports = [], ...pieces }: Pieces): Type {
  @Module({
    imports: [
      JwksModule.forRoot(issuer.jwksOptions),
      SigningModule.forRoot({ alg: issuer.alg }),
      StateModule.forRoot({ url: process.env.SHOP_STORE ?? 'memory:', longestTokenTtl: 600 }),
      AuthModule.forRoot({ ...issuer.authOptions, logRefusals: false }),
      ...imports,
    ],
    ...pieces,
  })
  class ShopModule {}
  return ShopModule;
}

/** What a request is told: the subject that the handler saw, or why it was refused. */
interface Told {
  sub?: string;
  code?: string;
  receipt?: string;
}
type Action = 'me' | 'open' | 'sign';
type Ask = (action: Action, token?: string) => Promise<Told>;

/** What a context says to each request. */
export type Verdicts = Record<string, unknown>;

async function verdicts(ask: Ask, signs: boolean): Promise<Verdicts> {
  const clerk = { sub: '42', tenant: 'acme', roles: ['clerk'] };
  const me = async (token?: string): Promise<unknown> => {
    const { sub, code } = await ask('me', token);
    return sub ?? code;
  };
  const good = await issuer.sign(clerk);
  return {
    good: await me(good),
    none: await me(),
    guest: await me(await issuer.sign({ ...clerk, roles: [] })),
    expired: await me(await issuer.sign({ ...clerk, exp: 1 })),
    forged: await me(await other.sign(clerk)),
    public: (await ask('open')).sub,
    ...(signs ? { signed: orderIn((await ask('sign', good)).receipt) } : {}),
  };
}
/** The order in a token. */
function orderIn(token = ''): unknown {
  const [, payload = ''] = token.split('.');
  const { sub, order } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    sub: string;
    order: number;
  };
  return `${sub}/${order}`;
}
const headersOf = (token?: string): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

const overHttp =
  (url: string): Ask =>
  async (action, token) => {
    const [method, path] = action === 'sign' ? ['POST', 'receipts'] : ['GET', action];
    const response = await fetch(`${url}/${path}`, { method, headers: headersOf(token) });
    return (await response.json()) as Told;
  };

const QUERIES = { me: '{ me }', open: '{ open }', sign: 'mutation { place { receipt } }' };
const overGraphql =
  (url: string): Ask =>
  async (action, token) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersOf(token) },
      body: JSON.stringify({ query: QUERIES[action] }),
    });
    const { data, errors } = (await response.json()) as {
      data?: { me?: string; open?: string; place?: Told } | null;
      errors?: { extensions: { reason?: string } }[];
    };
    return { sub: data?.me ?? data?.open, code: errors?.[0]?.extensions.reason, ...data?.place };
  };

const overSocketIo =
  (url: string): Ask =>
  async (action, token) => {
    const client = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: headersOf(token),
    });
    try {
      return await new Promise<Told>((done) => {
        client.once('told', done);
        client.once('exception', done);
        client.emit(action);
      });
    } finally {
      client.close();
    }
  };

const overWs =
  (url: string): Ask =>
  async (action, token) => {
    const client = new WebSocket(url.replace('http', 'ws'), { headers: headersOf(token) });
    try {
      return await new Promise<Told>((done, fail) => {
        client.once('error', fail);
        client.once('open', () => client.send(JSON.stringify({ event: action, data: {} })));
        client.once('message', (text: Buffer) =>
          done((JSON.parse(text.toString()) as { data: Told }).data),
        );
      });
    } finally {
      client.terminate();
    }
  };

async function overTcp(app: INestApplication): Promise<Ask> {
  const service = app.connectMicroservice({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
  });
  await app.startAllMicroservices();
  const { port } = service.unwrap<Server>().address() as AddressInfo;
  return async (action, token) => {
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    try {
      return await firstValueFrom(client.send<Told>(action, headersOf(token))).catch(
        (error: Told) => error,
      );
    } finally {
      await client.close();
    }
  };
}

async function listen(app: INestApplication): Promise<string> {
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

const http: Pieces = { controllers: [OrdersController] };
const graphql = (module: DynamicModule | Promise<DynamicModule>): Pieces => ({
  imports: [module],
  providers: [OrdersResolver],
});
const sockets: Pieces = { providers: [OrdersGateway] };
const options = { logger: ['error', 'fatal'] as ('error' | 'fatal')[], abortOnError: false };
const express = (pieces: Pieces): Promise<INestApplication> =>
  NestFactory.create(applicationOf(pieces), options);
const fastify = (pieces: Pieces): Promise<INestApplication> =>
  NestFactory.create(applicationOf(pieces), new FastifyAdapter(), options);

/** The contexts, each with its application, how to ask it, and whether fields of its answers are signed. */
const CONTEXTS: Record<
  string,
  [create: () => Promise<INestApplication>, ask: (app: INestApplication) => Promise<Ask>, boolean]
> = {
  express: [() => express(http), async (app) => overHttp(await listen(app)), true],
  fastify: [() => fastify(http), async (app) => overHttp(await listen(app)), true],
  apollo: [
    () =>
      express(
        graphql(
          GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
        ),
      ),
    async (app) => overGraphql(await listen(app)),
    true,
  ],
  mercurius: [
    () =>
      fastify(
        graphql(
          GraphQLModule.forRoot<MercuriusDriverConfig>({
            driver: MercuriusDriver,
            autoSchemaFile: true,
          }),
        ),
      ),
    async (app) => overGraphql(await listen(app)),
    true,
  ],
  'socket.io': [
    () => express(sockets),
    async (app) => overSocketIo(await listen(app.useWebSocketAdapter(new IoAdapter(app)))),
    false,
  ],
  ws: [
    () => express(sockets),
    async (app) => overWs(await listen(app.useWebSocketAdapter(new WsAdapter(app)))),
    false,
  ],
  tcp: [() => express({ controllers: [OrdersService] }), overTcp, false],
  // HTTP and messages at once.
  hybrid: [
    () => express({ controllers: [OrdersController, OrdersService] }),
    async (app) => {
      const [overMessages, overRoutes] = [await overTcp(app), overHttp(await listen(app))];
      return async (action, token) => {
        const told = await overRoutes(action, token);
        if (action === 'sign') return told;
        const { sub, code } = await overMessages(action, token);
        return (sub ?? code) === (told.sub ?? told.code) ? told : { code: 'they differ' };
      };
    },
    true,
  ],
};

/** Starts the application in a context and asks it. */
export async function verdictsOf(context: string): Promise<Verdicts> {
  const [create, askOf, signs] = CONTEXTS[context] ?? [];
  if (create === undefined || askOf === undefined) throw new Error(`no context ${context}`);
  const app = await create();
  try {
    return await verdicts(await askOf(app), signs === true);
  } finally {
    await app.close();
  }
}

async function print(contexts: readonly string[]): Promise<void> {
  const told: Record<string, Verdicts> = {};
  for (const context of contexts) told[context] = await verdictsOf(context);
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
/** Tests of an application import it instead. */
const { SHOP_CONTEXTS } = process.env;
if (SHOP_CONTEXTS !== undefined)
  print(SHOP_CONTEXTS === 'all' ? Object.keys(CONTEXTS) : SHOP_CONTEXTS.split(',')).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
