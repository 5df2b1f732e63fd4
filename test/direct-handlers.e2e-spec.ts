// Routes that go past the chain of Nest: each request of a table is answered, logged and counted as by Nest.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { Injectable, type CanActivate, type PipeTransform } from '@nestjs/common';
import { GuardsConsumer } from '@nestjs/core/guards/index.js';
import { InterceptorsConsumer } from '@nestjs/core/interceptors/index.js';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GatewayEnvironment } from '../src/config/index.js';
import { loadEnvironment } from '../src/environment/index.js';
import { ErrorFilter } from '../src/http/index.js';
import { SignetLogger, type Log } from '../src/logging/index.js';
import { GatewayMetrics } from '../src/metrics/index.js';
import { createApp } from '../src/process/create-app.js';
import { useDirectHandlers } from '../src/server/index.js';
import { exchange } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';

const DIRECT = ['POST /token', 'GET /private/custom'];
const CLAIMS = { sub: 'u1', roles: ['role_a'] };

let answer: (response: ServerResponse) => void;
const json =
  (status: number, body: unknown, type = 'application/json') =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
const GOOD = json(200, { access_token: CLAIMS, refresh_token: CLAIMS, extra: [1, { a: null }] });

const backend = createServer((request, response) => {
  request.resume();
  answer(response);
});
let jwk: Awaited<ReturnType<typeof generateJwk>>;
const real = process.env;

/** A gateway in this process, with what it logs. */
interface Side {
  readonly app: NestExpressApplication;
  readonly lines: Record<string, unknown>[];
}

async function make(variables: Record<string, string> = {}): Promise<Side> {
  process.env = {
    PORT: '0',
    HOST: '127.0.0.1',
    NODE_ENV: 'production',
    STATE_STORE: 'memory:',
    BACKEND_HOST: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`,
    BACKEND_TIMEOUT_MS: '500',
    WORKERS: '1',
    MANAGEMENT_PORT: 'off',
    SIGNER_ISSUER: ISSUER,
    VALIDATOR_AUDIENCE: AUDIENCE,
    SIGNER_KID: 'k1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
    CORS_ORIGINS: 'https://app.example',
    ...variables,
  };
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const output = pino({ level: 'info', base: undefined, timestamp: false }, stream);
  const logger = new SignetLogger(output);
  const log: Log = { pino: output, logger: () => logger, dropped: () => 0 };
  const app = await createApp(loadEnvironment().env as GatewayEnvironment, log);
  return { app, lines };
}

async function start(side: Side): Promise<string> {
  await side.app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(side.app.getHttpServer().address() as AddressInfo).port}`;
}

beforeAll(async () => {
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  jwk = await generateJwk('HS256', 'k1');
});
afterAll(() => {
  process.env = real;
  backend.closeAllConnections();
  backend.close();
});

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;

/** What is the same for both: the head without what names the moment, claims in place of tokens. */
const comparable = (text: string): string =>
  text
    .replace(JWT, (token) => {
      const { iat, exp, jti, ...claims } = part(token, 1);
      return JSON.stringify([part(token, 0), claims, typeof iat, typeof exp, typeof jti]);
    })
    .replace(UUID, '(id)')
    .replace(/127\.0\.0\.1:\d+/g, '(host)');

async function told(url: string, head: string, body: string | undefined): Promise<string> {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const { hostname, port } = new URL(url);
  const { status, headers, text } = await exchange(
    url,
    `${head}Host: ${hostname}:${port}\r\nConnection: close\r\n${length}\r\n${body ?? ''}`,
  );
  const sent = [...headers].filter(([name]) => name !== 'date' && name !== 'content-length');
  return comparable(JSON.stringify([status, sent, text]));
}

/** A request line with header lines, a body, and what the backend answers. */
type Case = [
  name: string,
  head: (tokens: Record<string, string>) => string,
  backend?: typeof answer,
  body?: string,
];
const get =
  (lines: (tokens: Record<string, string>) => string, line = 'GET /private/custom HTTP/1.1') =>
  (tokens: Record<string, string>): string =>
    `${line}\r\n${lines(tokens)}`;
const bearer = (name: string) => get((tokens) => `Authorization: Bearer ${tokens[name]}\r\n`);
const post =
  (lines = '') =>
  (): string =>
    `POST /token HTTP/1.1\r\n${lines}`;
const JSON_BODY = 'Content-Type: application/json\r\n';
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';

const CASES: Case[] = [
  ['no token', get(() => '')],
  ['an id of its own', get(() => 'X-Request-Id: mine-1\r\n')],
  ['an empty token', get(() => 'Authorization: Bearer \r\n')],
  ['another scheme', get(() => 'Authorization: Basic abc\r\n')],
  ['no JWT', get(() => 'Authorization: Bearer x.y\r\n')],
  ['a forged token', bearer('forged')],
  ['an expired token', bearer('expired')],
  ['another audience', bearer('audience')],
  ['no role', bearer('role')],
  ['a DPoP scheme', get(({ good }) => `Authorization: DPoP ${good}\r\n`)],
  ['a bound token', bearer('bound')],
  ['two headers', get(({ good }) => `Authorization: Bearer ${good}\r\n`.repeat(2))],
  [
    'two places',
    get(
      ({ good }) => `Authorization: Bearer ${good}\r\n`,
      'GET /private/custom?access_token=x HTTP/1.1',
    ),
  ],
  ['a cookie', get(({ good }) => `Cookie: session=${good}\r\n`)],
  ['a good token', bearer('good'), json(200, { user: 1, digits: 0.1 })],
  [
    'a good token of another origin',
    get(({ good }) => `Authorization: Bearer ${good}\r\nOrigin: https://app.example\r\n`),
  ],
  ['no token of another origin', get(() => 'Origin: https://app.example\r\n')],
  ['HEAD', get(({ good }) => `Authorization: Bearer ${good}\r\n`, 'HEAD /private/custom HTTP/1.1')],
  ['HEAD without', get(() => '', 'HEAD /private/custom HTTP/1.1')],
  ['another spelling', get(() => '', 'GET /Private/custom/ HTTP/1.1')],
  ['another method', get(() => '', 'PUT /private/custom HTTP/1.1')],
  ['another path', get(() => '', 'GET /private/customs HTTP/1.1')],
  ['a refusal of the backend', bearer('good'), json(404, { code: 'gone' })],
  ['a failure of the backend', bearer('good'), json(500, {})],
  ['no JSON', bearer('good'), json(200, {}, 'text/html')],
  ['a broken answer', bearer('good'), (response) => response.destroy()],
  ['a late answer', bearer('good'), () => undefined],
  ['a login', post(), GOOD],
  ['a login with an empty body', post(), GOOD, ''],
  ['a login in JSON', post(JSON_BODY), GOOD, '{"username":"a"}'],
  ['a login in a form', post(FORM), GOOD, 'grant_type=password&username=a'],
  ['a login with Basic', post(`${FORM}Authorization: Basic YTpi\r\n`), GOOD, 'a=b'],
  ['broken JSON', post(JSON_BODY), GOOD, '{'],
  ['a member twice', post(JSON_BODY), GOOD, '{"a":1,"a":2}'],
  ['a type that nobody reads', post('Content-Type: text/xml\r\n'), GOOD, '<a/>'],
  ['an encoded body', post(`${JSON_BODY}Content-Encoding: gzip\r\n`), GOOD, 'x'],
  ['too large a body', post(JSON_BODY), GOOD, `"${'x'.repeat(200_000)}"`],
  ['a refresh that is off', post(FORM), GOOD, 'grant_type=refresh_token&refresh_token=x'],
  ['wrong credentials', post(FORM), json(401, { error: 'invalid_grant' }), 'username=a'],
  ['a login that fails', post(), json(503, {})],
  ['nothing to sign', post(), json(200, { other: 1 })],
  ['no claims', post(), json(200, { access_token: 'text' })],
  ['claims that are past', post(), json(200, { access_token: { ...CLAIMS, exp: 5 } })],
  ['one token', post(), json(200, { access_token: CLAIMS })],
  ['GET', get(() => '', 'GET /token HTTP/1.1')],
];

describe('a route that goes past the chain of Nest', () => {
  const sides: [Side, string][] = [];
  let chains: number;
  beforeAll(async () => {
    for (const isDirect of [false, true]) {
      const side = await make({ VALIDATOR_COOKIE_KEY: 'session', THROTTLE_LIMIT: '25' });
      await side.app.init();
      if (isDirect) useDirectHandlers(side.app);
      sides.push([side, await start(side)]);
    }
    const count = (prototype: object, name: string): void => {
      const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
      vi.spyOn(prototype as Record<string, () => unknown>, name).mockImplementation(function (
        this: unknown,
        ...args: unknown[]
      ) {
        chains++;
        return Reflect.apply(original, this, args);
      });
    };
    count(GuardsConsumer.prototype, 'tryActivate');
    count(InterceptorsConsumer.prototype, 'intercept');
    for (const [{ app }] of sides)
      count((app.getHttpAdapter().getInstance() as unknown as { router: object }).router, 'handle');
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    for (const [{ app }] of sides) await app.close();
  });

  it.each(CASES)('answers %s as Nest does', async (_name, head, does = GOOD, body) => {
    answer = does;
    const tokens = {
      good: await tokenOf(jwk),
      expired: await tokenOf(jwk, { exp: 1000 }),
      audience: await tokenOf(jwk, { aud: 'other' }),
      role: await tokenOf(jwk, { roles: ['none'] }),
      bound: await tokenOf(jwk, { cnf: { jkt: 'x'.repeat(43) } }),
      forged: await tokenOf({ ...(await generateJwk('HS256', 'k1')) }),
    };
    const results = [];
    for (const [side, url] of sides) {
      side.lines.length = 0;
      const answered = await told(url, head(tokens), body);
      await expect.poll(() => side.lines.some(({ msg }) => msg === 'request')).toBe(true);
      const lines = side.lines.map((line) =>
        comparable(JSON.stringify({ ...line, ms: typeof line.ms })),
      );
      results.push({ answered, lines });
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('calls no guard and no interceptor by Nest, and no router', async () => {
    answer = GOOD;
    const calls = [];
    for (const [, url] of sides) {
      chains = 0;
      await told(url, get(() => '')({}), undefined);
      await told(url, bearer('good')({ good: await tokenOf(jwk) }), undefined);
      await told(url, post()(), undefined);
      calls.push(chains);
    }
    expect(calls).toEqual([8, 0]);
  });

  it('limits requests as Nest does', async () => {
    answer = GOOD;
    const seen = [];
    for (const [, url] of sides) {
      const answers = [];
      for (let i = 0; i < 26; i++) answers.push(await told(url, post()(), undefined));
      seen.push(answers.at(-1)?.replace(/"retry-after","\d+"/, ''));
    }
    expect(seen[1]).toBe(seen[0]);
    expect(seen[1]).toContain('rate_limited');
  });

  it('counts requests, refusals and logins as Nest does', async () => {
    const [byNest, direct] = await Promise.all(
      sides.map(async ([{ app }]) => {
        const { body } = await app.get(GatewayMetrics).text();
        return body
          .split('\n')
          .filter((line) =>
            /^signet_(?:http_request_duration_seconds_count|refusals_total|logins_total|tokens_)/.test(
              line,
            ),
          )
          .toSorted();
      }),
    );
    expect(byNest?.length).toBeGreaterThan(15);
    expect(direct).toEqual(byNest);
  });
});

@Injectable()
class Stranger implements CanActivate, PipeTransform {
  canActivate(): boolean {
    return true;
  }

  transform(value: unknown): unknown {
    return value;
  }

  intercept(_context: unknown, next: { handle(): never }): never {
    return next.handle();
  }
}

describe('a route with anything else on it stays with Nest', () => {
  const directAfter = async (
    change: (app: NestExpressApplication) => unknown,
  ): Promise<string[]> => {
    const { app } = await make();
    change(app);
    await app.init();
    const direct = useDirectHandlers(app);
    await app.close();
    return direct;
  };

  it.each<[string, (app: NestExpressApplication) => unknown]>([
    ['a guard', (app) => app.useGlobalGuards(new Stranger())],
    ['a pipe', (app) => app.useGlobalPipes(new Stranger())],
    ['an interceptor', (app) => app.useGlobalInterceptors(new Stranger())],
    ['another filter', (app) => app.useGlobalFilters(new (class extends ErrorFilter {})())],
  ])('%s', async (_what, change) => {
    expect(await directAfter(change)).toEqual([]);
  });

  it('nothing', async () => {
    expect(await directAfter(() => undefined)).toEqual(DIRECT);
  });
});
