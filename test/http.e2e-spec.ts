import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { limit } from './helpers/run/faults.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, callWith, exchange, expectError } from './helpers/network/http.js';
import { generateJwk, hs256, writeKeys } from './helpers/issuers/keys.js';

const CLAIMS = {
  aud: 'http://api.example.com',
  iss: 'https://krakend.io',
  sub: 'sub-1',
  roles: ['role_a'],
  exp: 2_051_882_755,
};
const HEADER = { alg: 'HS256', kid: 'k1', typ: 'JWT' };
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let backend: Backend;
let gateway: Gateway;
let secret: string;
let path: string;
const made = (claims: object, header: object = {}): string =>
  hs256(secret, { ...HEADER, ...header }, { ...CLAIMS, ...claims });
const post = (body?: RequestInit['body'], headers: Record<string, string> = {}) =>
  call(`${gateway.url}/token`, { method: 'POST', body, headers });

beforeAll(async () => {
  backend = await startBackend();
  const jwk = await generateJwk('HS256', 'k1');
  secret = String(jwk.k);
  path = writeKeys([jwk]);
  gateway = await startGateway({
    BACKEND_HOST: `${backend.url}/base/`,
    SIGNER_KID: 'k1',
    SIGNER_JWK_LOCAL_PATH: path,
    PRIVATE_BACKEND_PATH: '/user/{JWT.sub}.json?by={JWT.sub}',
    BACKEND_INPUT_HEADERS: 'Authorization, X-Tenant, Cookie',
    BACKEND_INPUT_QUERY_STRINGS: 'lang,page',
    VALIDATOR_COOKIE_KEY: 'session',
  });
  await backend.answer('/base/token.json', { body: { access_token: CLAIMS } });
  await backend.answer('/base/user/sub-1.json', { status: 203, body: '{"id": 1.50}' });
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
});

describe('error answers', () => {
  it('405 also for a method that nobody knows', async () => {
    const answer = await exchange(
      gateway.url,
      'FOO /private/custom?a=b HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expectError(answer, 405, 'method_not_allowed', 'invalid_request');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('are the same for a path that is written in another way', async () => {
    const target = '/private/%63ustom';
    const answer = await exchange(
      gateway.url,
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expectError(answer, 401, 'token_missing');
  });

  it('404 and 405 look like all others, and 405 says what is allowed', async () => {
    expectError(await call(`${gateway.url}/nope?x=1`), 404, 'not_found', 'invalid_request');
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await call(`${gateway.url}/token`, { method });
      expectError(answer, 405, 'method_not_allowed', 'invalid_request');
      expect(answer.headers.get('allow')).toBe('POST');
    }
    const answer = await call(`${gateway.url}/private/custom`, { method: 'POST' });
    expectError(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect((await call(`${gateway.url}/token`, { method: 'HEAD' })).status).toBe(405);
    expectError(await call(`${gateway.url}/%E0%A4%A`), 404, 'not_found');
  });

  it('400, 413 and 415 for bodies that are refused before the backend is asked', async () => {
    const before = backend.seen.length;
    expectError(await post('{"a":', JSON_TYPE), 400, 'body_malformed', 'invalid_request');
    expectError(await post('[1]', JSON_TYPE), 400, 'body_malformed');
    expectError(await post('{"a":1,"a":2}', JSON_TYPE), 400, 'parameter_repeated');
    expectError(await post('a=1&a=2', FORM), 400, 'parameter_repeated');
    expectError(await post(Buffer.from([0x7b, 0xff, 0x7d]), JSON_TYPE), 400, 'body_malformed');
    expectError(
      await post('hello', { 'content-type': 'text/plain' }),
      415,
      'media_type_unsupported',
    );
    expectError(
      await post(gzipSync('{}'), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      415,
      'media_type_unsupported',
    );
    expectError(
      await post('grant_type=refresh_token&refresh_token=x', FORM),
      400,
      'grant_unsupported',
      'unsupported_grant_type',
    );
    expect(backend.seen).toHaveLength(before);
  });

  it('413 at once, without reading the rest, whether the length is announced or not', async () => {
    const head = 'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const announced = await exchange(gateway.url, `${head}Content-Length: 1000000000\r\n\r\n{`);
    expectError(announced, 413, 'body_too_large', 'invalid_request');
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const chunked = await exchange(
      gateway.url,
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      chunk.repeat(3),
    );
    expectError(chunked, 413, 'body_too_large');
    expect(announced.headers.get('connection')).toBe('close');
    expect(Math.max(announced.ms, chunked.ms)).toBeLessThan(limit(100, 5000));
  });

  it('what is no HTTP request gets the same shape, too', async () => {
    const garbage = await exchange(gateway.url, 'garbage\r\n\r\n');
    expect([garbage.status, garbage.json.error]).toEqual([400, 'invalid_request']);
    const huge = await exchange(
      gateway.url,
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
    );
    expect([huge.status, huge.json.error]).toEqual([431, 'invalid_request']);
    for (const answer of [garbage, huge])
      expect(answer.json.request_id).toBe(answer.headers.get('x-request-id'));
  });

  it('keeps well-formed request ids and replaces hostile ones', async () => {
    const idOf = async (id: string): Promise<string | null> =>
      (await call(`${gateway.url}/health/live`, { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      );
    for (const id of ['abc-123', '7f2c:a/b=c@d+e', 'x'.repeat(128)])
      expect(await idOf(id)).toBe(id);
    for (const id of ['', 'a b', 'x'.repeat(129), 'eyJhbGciOiJIUzI1NiJ9.e30.x', '<script>', 'ü'])
      expect(await idOf(id)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what reaches the backend', () => {
  const last = () => backend.seen.at(-1);

  it.each([
    ['JSON, spaces and all', '{ "user" : "ä\\u0000", "n" : 1e2 }', JSON_TYPE],
    [
      'a form',
      'username=a+b&x=%C3%A4%20',
      { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    ],
  ])('is the body byte for byte: %s', async (_name, body, headers) => {
    expect((await post(body, headers)).status).toBe(200);
    expect(last()?.body.toString()).toBe(body);
    expect(last()?.headers['content-type']).toBe(headers['content-type']);
  });

  it('is nothing of an empty request but what was asked for', async () => {
    const { status, headers } = await post();
    expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([
      200,
      'no-store',
      'no-cache',
    ]);
    const sent = last()?.headers ?? {};
    expect(Object.keys(sent).toSorted()).toEqual(
      [
        'accept',
        'accept-encoding',
        'connection',
        'content-length',
        'host',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-request-id',
      ].toSorted(),
    );
    expect(sent).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': new URL(gateway.url).host,
      'x-forwarded-proto': 'http',
      'x-request-id': headers.get('x-request-id'),
    });
    expect([last()?.method, last()?.url, sent['accept-encoding']]).toEqual([
      'POST',
      '/base/token.json',
      'identity',
    ]);
  });

  it('is nothing that a client writes of itself', async () => {
    const forged = { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-host': 'evil', tracestate: 'a=b' };
    await post(undefined, { ...forged, traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00` });
    expect(last()?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': new URL(gateway.url).host,
    });
    expect(last()?.headers).not.toHaveProperty('tracestate');
  });

  it('are the listed headers and parameters only', async () => {
    await call(`${gateway.url}/token?lang=de&evil=1&page=1&page=2`, {
      method: 'POST',
      headers: { 'x-tenant': 't1', 'x-other': 'o', authorization: 'Basic Y2xpZW50', cookie: 'a=b' },
    });
    expect(last()?.url).toBe('/base/token.json?lang=de&page=1&page=2');
    expect(last()?.headers).toMatchObject({
      'x-tenant': 't1',
      authorization: 'Basic Y2xpZW50',
      cookie: 'a=b',
    });
    expect(last()?.headers).not.toHaveProperty('x-other');
  });

  it('is never the token, from the header or from the cookie', async () => {
    const token = made({});
    for (const headers of [
      { authorization: `Bearer ${token}`, cookie: 'a=b', 'x-tenant': 't1' },
      { cookie: `a=b; session=${token}`, 'x-tenant': 't1' },
    ]) {
      const answer = await call(`${gateway.url}/private/custom?lang=de`, { headers });
      // Status and text of the backend, as they are.
      expect([answer.status, answer.text]).toEqual([203, '{"id": 1.50}']);
      expect(last()?.url).toBe('/base/user/sub-1.json?by=sub-1&lang=de');
      expect(last()?.headers).toMatchObject({ 'x-tenant': 't1' });
      expect(last()?.headers).not.toHaveProperty('authorization');
      // Cookies with another name are no tokens.
      expect(last()?.headers.cookie).toBe('a=b');
    }
  });

  it('is a path that a claim cannot leave', async () => {
    await callWith(`${gateway.url}/private/custom`, made({ sub: '../../admin?x=1#y/ä' }));
    const encoded = '..%2F..%2Fadmin%3Fx%3D1%23y%2F%C3%A4';
    expect(last()?.url).toBe(`/base/user/${encoded}.json?by=${encoded}`);
    const before = backend.seen.length;
    for (const sub of ['', '\ud800', undefined])
      expectError(
        await callWith(`${gateway.url}/private/custom`, made({ sub })),
        403,
        'claim_for_backend_missing',
        'insufficient_scope',
      );
    // A `sub` is text (RFC 7519 section 4.1.2).
    for (const sub of [{ a: 1 }, ['x'], null])
      expectError(
        await callWith(`${gateway.url}/private/custom`, made({ sub })),
        401,
        'claim_invalid',
        'invalid_token',
      );
    expect(backend.seen).toHaveLength(before);
  });
});

describe('challenges', () => {
  const custom = (init: RequestInit = {}) => call(`${gateway.url}/private/custom`, init);

  it('name no error where there was no token', async () => {
    for (const authorization of ['', 'Basic Y2xpZW50', 'Bearer', 'Bearer ']) {
      const answer = await custom({ headers: { authorization } });
      expectError(answer, 401, 'token_missing');
      expect(answer.json).not.toHaveProperty('error');
      expect(answer.headers.get('www-authenticate')).toMatch(
        /^Bearer realm="signet", (resource_metadata="[^"]+"), DPoP algs="[\w -]+", \1$/,
      );
    }
  });

  it('name the error where there was one', async () => {
    const challenge = async (token: string): Promise<string | null> =>
      (await callWith(`${gateway.url}/private/custom`, token)).headers.get('www-authenticate');
    expect(await challenge('x')).toMatch(/^Bearer realm="signet", error="invalid_token"/);
    expect(await challenge(made({ roles: [] }))).toMatch(/error="insufficient_scope"/);
  });

  it('refuse two tokens, and let the header win over the cookie', async () => {
    const token = made({});
    const double = await exchange(
      gateway.url,
      `GET /private/custom HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    expectError(double, 400, 'token_ambiguous', 'invalid_request');
    const query = await call(`${gateway.url}/private/custom?access_token=${token}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expectError(query, 400, 'token_ambiguous', 'invalid_request');
    expectError(
      await call(`${gateway.url}/private/custom?access_token=${token}`),
      401,
      'token_missing',
    );
    const cookie = `session=${made({ roles: [] })}`;
    expect((await custom({ headers: { authorization: `Bearer ${token}`, cookie } })).status).toBe(
      203,
    );
    expect((await custom({ headers: { authorization: 'Basic x', cookie } })).status).toBe(403);
  });

  it('tell nothing of the reason with ERRORS_EXPLAIN=false, which the log does', async () => {
    const silent = await startGateway({
      BACKEND_HOST: backend.url,
      SIGNER_KID: 'k1',
      SIGNER_JWK_LOCAL_PATH: path,
      ERRORS_EXPLAIN: 'false',
    });
    const refused = {
      token_expired: made({ exp: 1 }),
      signature_invalid: `${made({}).slice(0, -4)}AAAA`,
      token_malformed: 'a.b.c',
      issuer_mismatch: made({ iss: 'https://evil' }),
      key_not_found: made({}, { kid: 'other' }),
      type_not_allowed: made({}, { typ: 'rt+jwt' }),
    };
    const seen = new Set<string>();
    for (const [code, token] of Object.entries(refused)) {
      const answer = await callWith(`${silent.url}/private/custom`, token);
      expectError(answer, 401, 'invalid_token', 'invalid_token');
      const { request_id: id, ...body } = answer.json;
      seen.add(JSON.stringify([body, answer.headers.get('www-authenticate')]));
      await expect
        .poll(() => silent.log().find((line) => line.request_id === id))
        .toMatchObject({ code, status: 401 });
    }
    expect(seen.size).toBe(1);
    await silent.stop();
  });
});

describe('the rest', () => {
  it('answers probes, which the log leaves out', async () => {
    for (const probe of ['live', 'ready'])
      expect(await call(`${gateway.url}/health/${probe}`)).toMatchObject({
        status: 200,
        text: '{"status":"ok"}',
      });
    expect(gateway.log().filter(({ route }) => String(route).startsWith('/health'))).toEqual([]);
  });

  it('sends the headers of an API, and none that tell what it is made of', async () => {
    const { headers } = await post();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none';frame-ancestors 'none'",
    );
    for (const name of ['x-powered-by', 'etag', 'server']) expect(headers.has(name)).toBe(false);
  });

  it('counts requests and refusals', async () => {
    const metrics = await gateway.metrics();
    expect(metrics).toMatch(/signet_refusals_total\{code="token_missing"\} \d/);
    expect(metrics).toMatch(/_count\{method="POST",route="\/token",status="200"\} \d/);
  });

  it('writes no token, secret or credential into its log', async () => {
    await post('{"username":"alice","password":"hunter2hunter2"}', JSON_TYPE);
    await expect
      .poll(() => gateway.log().filter(({ msg }) => msg === 'request').length)
      .toBeGreaterThan(30);
    expect(gateway.output()).not.toMatch(/eyJ|hunter2|Y2xpZW50|Bearer ey|Basic /);
    expect(gateway.output()).not.toContain(secret.slice(0, 12));
  });
});
