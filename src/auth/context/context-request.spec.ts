import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  KafkaContext,
  MqttContext,
  NatsContext,
  RedisContext,
  RmqContext,
  TcpContext,
} from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import { bearerToken } from '../../core/verify/index.js';
import { contextRequest, tokenCarrier } from './context-request.js';

const PLACES = { authHeaderName: 'authorization', cookieKey: undefined };

function contextOf(type: string, ...args: unknown[]): ExecutionContext {
  const host = new ExecutionContextHost(args);
  host.setType(type);
  return host;
}
/** The token that is found, or the code of the refusal. */
function tokenIn(context: ExecutionContext): string | undefined {
  try {
    const carrier = tokenCarrier(contextRequest(context), context, 'authorization');
    return bearerToken(carrier, PLACES)?.token;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const kafka = (headers: object) =>
  new KafkaContext([{ headers } as never, 0, 't', {} as never, async () => {}, {} as never]);
const rabbit = (headers: object) =>
  new RmqContext([{ properties: { headers } }, {} as never, 'p'] as never);
const mqtt = (userProperties: object) => new MqttContext(['t', { properties: { userProperties } }]);
const nats = (values: Record<string, string[]>) =>
  new NatsContext([
    's',
    {
      get: (name: string) => values[name]?.[0] ?? '',
      values: (name: string) => values[name] ?? [],
    },
  ] as never);
const grpc = (values: Record<string, (string | Buffer)[]>) => ({
  getMap: () => ({}),
  get: (name: string) => values[name] ?? [],
});
const GOOD = 'Bearer a.b.c';

describe('the token of a message', () => {
  it.each<[string, object, unknown, string | undefined]>([
    ['Kafka', kafka({ authorization: Buffer.from(GOOD) }), {}, 'a.b.c'],
    ['Kafka, another spelling', kafka({ Authorization: GOOD }), {}, 'a.b.c'],
    [
      'Kafka, two spellings',
      kafka({ Authorization: GOOD, authorization: GOOD }),
      {},
      'token_ambiguous',
    ],
    ['Kafka, a list', kafka({ authorization: [GOOD, GOOD] }), {}, 'token_ambiguous'],
    ['Kafka, in the data', kafka({}), { authorization: GOOD }, undefined],
    ['RabbitMQ', rabbit({ authorization: GOOD }), {}, 'a.b.c'],
    ['MQTT', mqtt({ authorization: GOOD }), {}, 'a.b.c'],
    ['MQTT, twice', mqtt({ authorization: [GOOD, GOOD] }), {}, 'token_ambiguous'],
    ['NATS', nats({ authorization: [GOOD] }), {}, 'a.b.c'],
    ['NATS, twice', nats({ authorization: [GOOD, GOOD] }), {}, 'token_ambiguous'],
    ['NATS without headers', new NatsContext(['s', undefined]), {}, undefined],
    ['gRPC', grpc({ authorization: [GOOD] }), {}, 'a.b.c'],
    ['gRPC, twice', grpc({ authorization: [GOOD, GOOD] }), {}, 'token_ambiguous'],
    ['TCP', new TcpContext([{} as never, 'p', {}]), { authorization: GOOD }, 'a.b.c'],
    ['Redis', new RedisContext(['c']), { authorization: GOOD }, 'a.b.c'],
    [
      'Redis, inherited',
      new RedisContext(['c']),
      Object.create({ authorization: GOOD }),
      undefined,
    ],
    ['Redis, no object', new RedisContext(['c']), 'text', undefined],
    ['Redis, another scheme', new RedisContext(['c']), { authorization: 'Basic x' }, undefined],
  ])('%s', (_name, context, data, token) => {
    expect(tokenIn(contextOf('rpc', data, context))).toBe(token);
  });
});

describe('the token of a handshake', () => {
  const client = (headers: Record<string, string>, auth: object = {}) => ({
    handshake: { auth },
    request: { headers, rawHeaders: Object.entries(headers).flat(), url: '/socket.io' },
  });
  it.each<[string, object, string | undefined]>([
    ['header', client({ authorization: GOOD }), 'a.b.c'],
    ['auth', client({}, { token: 'a.b.c' }), 'a.b.c'],
    ['auth with the scheme', client({}, { token: GOOD }), 'a.b.c'],
    ['subprotocol', client({ 'sec-websocket-protocol': 'bearer, a.b.c' }), 'a.b.c'],
    ['two places', client({ authorization: GOOD }, { token: 'a.b.c' }), 'token_ambiguous'],
    ['another subprotocol', client({ 'sec-websocket-protocol': 'json, a.b.c' }), undefined],
    ['auth that is no text', client({}, { token: { a: 1 } }), undefined],
    ['a client whose request is not known', {}, undefined],
  ])('%s', (_name, of, token) => {
    expect(tokenIn(contextOf('ws', of, {}, 'm'))).toBe(token);
  });

  it('is no request that a page of another origin may make with a cookie', () => {
    const opened = {
      req: { extra: { request: { headers: { upgrade: 'websocket' }, method: 'GET' } } },
    };
    for (const context of [
      contextOf('ws', client({ cookie: 'a=b' }), {}, 'm'),
      contextOf('graphql', {}, {}, opened, {}),
    ]) {
      const { method } = tokenCarrier(contextRequest(context), context, 'authorization');
      expect(method).toBe('CONNECT');
    }
  });
});

describe('the request of a context', () => {
  it.each([
    ['Apollo', { req: { headers: {} } }],
    ['Mercurius', { reply: { request: { headers: {} } } }],
    ['a subscription', { req: { extra: { request: { headers: {} } } } }],
    ['a subscription of graphql-ws', { extra: { request: { headers: {} } } }],
  ])('GraphQL: %s', (_name, context) => {
    expect(contextRequest(contextOf('graphql', {}, {}, context, {}))).toEqual({ headers: {} });
    // A resolver of references has no arguments of its own.
    expect(contextRequest(contextOf('graphql', {}, context, {}))).toEqual({ headers: {} });
  });

  it.each([
    ['a context of GraphQL without one', contextOf('graphql', {}, {}, {}, {}), /holds no request/],
    ['another kind of context', contextOf('telegram', {}), /type telegram are not known: override/],
    ['a message that is a number', contextOf('rpc', 1, undefined), /neither a context nor members/],
  ])('says what is missing: %s', (_name, context, problem) => {
    expect(() => contextRequest(context)).toThrow(problem);
  });
});
