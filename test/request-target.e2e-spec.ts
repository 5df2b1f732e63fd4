import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { exchange, type Answer } from './helpers/network/http.js';
import { login } from './helpers/sessions/sessions.js';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

let backend: Backend;
let gateway: Gateway;
let admin: string;
beforeAll(async () => {
  backend = await startBackend();
  const claims = { sub: 'u', roles: ['role_a', 'boss'] };
  await backend.answer('/token.json', { body: { access_token: claims, refresh_token: claims } });
  gateway = await startGateway({
    BACKEND_HOST: backend.url,
    BACKEND_INPUT_QUERY_STRINGS: 'lang',
    REFRESH_BACKEND_PATH: '/refresh.json',
    ADMIN_ROLES: 'boss',
  });
  ({ access: admin } = await login(gateway.url));
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
});

/** Bytes as they are: `fetch` writes neither of these targets. */
const send = (line: string, body = '', type = FORM, more = ''): Promise<Answer> =>
  exchange(
    gateway.url,
    `${line} HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n${more}` +
      (body === ''
        ? ''
        : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`) +
      `\r\n${body}`,
  );

/** The forms in which the target of a request may come (RFC 9112 section 3.2). */
const TARGETS = [
  (path: string) => path,
  (path: string) => `http://gw${path}`,
  (path: string) => `http://other.example:81${path}`,
  (path: string) => `HTTP://gw${path}#x`,
  (path: string) => `${path}#x`,
  (path: string) => `${path}/#x`,
  (path: string) => `${path}?lang=de#x`,
  (path: string) => path.toUpperCase(),
].map((form) => [form('/token'), form] as const);

describe.each(TARGETS)('a request for %s', (_example, target) => {
  it('keeps its body', async () => {
    const before = backend.seen.length;
    const body = 'username=alice&password=secret';
    expect((await send(`POST ${target('/token')}`, body)).status).toBe(200);
    const seen = backend.seen.at(-1);
    expect([backend.seen.length - before, seen?.body.toString()]).toEqual([1, body]);
    expect(seen?.url).toMatch(/^\/token\.json(?:\?lang=de)?$/);
  });

  it('is no login when it is a refresh', async () => {
    const before = backend.seen.length;
    for (const [body, type] of [
      ['grant_type=refresh_token&refresh_token=garbage', FORM],
      ['{"grant_type":"refresh_token","refresh_token":"garbage"}', JSON_TYPE],
    ] as const) {
      const { status, json } = await send(`POST ${target('/token')}`, body, type);
      expect([status, json.code]).toEqual([400, 'refresh_token_invalid']);
    }
    expect(backend.seen).toHaveLength(before);
  });

  it('revokes and introspects the token of its body', async () => {
    const { access } = await login(gateway.url);
    const authorization = `Authorization: Bearer ${admin}\r\n`;
    const isActive = async (): Promise<unknown> =>
      (await send(`POST ${target('/token/introspect')}`, `token=${access}`, FORM, authorization))
        .json.active;
    expect(await isActive()).toBe(true);
    expect((await send(`POST ${target('/token/revoke')}`, `token=${access}`)).status).toBe(200);
    expect(await isActive()).toBe(false);
  });

  it('with another method says which is right', async () => {
    const answer = await send(`GET ${target('/token')}`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('a body that is there', () => {
  /** Routes that read one, and a good one of each. */
  const ROUTES: [path: string, good: string, type: string][] = [
    ['/token', '{"username":"a"}', JSON_TYPE],
    ['/token/revoke', '{"token":"a"}', JSON_TYPE],
    ['/token/introspect', '{"token":"a"}', JSON_TYPE],
    ['/admin/revocations', '{"jti":"a"}', JSON_TYPE],
    ['/_explain', '{"token":"a"}', JSON_TYPE],
  ];
  /** Of a type that nobody reads: 415, or 400 where only what is in the body is looked at. */
  const WRONG: [what: string, body: string, type: string, statuses: number[]][] = [
    ['text', 'grant_type=refresh_token', 'text/plain', [415, 400]],
    ['no type', 'token=a', '', [415, 400]],
    ['a file', '--x\r\n\r\n--x--', 'multipart/form-data; boundary=x', [415, 400]],
    ['a list', '[{"token":"a","jti":"a"}]', JSON_TYPE, [400]],
    ['null', 'null', JSON_TYPE, [400]],
    ['a text in JSON', '"token"', JSON_TYPE, [400]],
    ['half of JSON', '{"token":"a"', JSON_TYPE, [400]],
    ['JSON declared as a form, twice', '{"a":1}&{"a":1}', FORM, [400]],
    ['a member twice', '{"token":"a","token":"b"}', JSON_TYPE, [400]],
  ];

  describe.each(ROUTES)('on %s', (path, good, goodType) => {
    it.each(WRONG)('is refused when it is %s', async (_what, body, type, statuses) => {
      const authorization = `Authorization: Bearer ${admin}\r\n`;
      const before = backend.seen.length;
      const { status, json } = await send(`POST ${path}`, body, type, authorization);
      expect(statuses).toContain(status);
      expect(json.error).toBe('invalid_request');
      expect(backend.seen).toHaveLength(before);
      expect((await send(`POST ${path}`, good, goodType, authorization)).status).toBeLessThan(300);
    });
  });

  it('may be empty, in chunks, too', async () => {
    for (const more of ['', 'Content-Length: 0\r\n', `Content-Type: text/plain\r\n`])
      expect((await send('POST /token', '', FORM, more)).status).toBe(200);
    const chunked = await exchange(
      gateway.url,
      'POST http://gw/token HTTP/1.1\r\nHost: gw\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(chunked.status).toBe(200);
  });
});
