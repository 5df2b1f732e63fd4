import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  reply,
  startFaultyBackend,
  type Fault,
  type FaultyBackend,
} from './helpers/backends/faulty-backend.js';
import { limit } from './helpers/run/faults.js';
import { figure } from './helpers/run/figure.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith, expectError, type Answer } from './helpers/network/http.js';
import { generateJwk, hs256, part, writeKeys } from './helpers/issuers/keys.js';

const DEADLINE = 500;
const EXP = 2_051_882_755;
const AUDIENCE = 'http://api.example.com';
/** Stands in every faulty answer; no client may ever see it. */
const CANARY = 'canary-7f3a';
const CLAIMS = { sub: CANARY, aud: AUDIENCE, roles: ['role_a'], exp: EXP };
const GOOD = JSON.stringify({ access_token: { ...CLAIMS, sub: 'user' } });
const BAD = JSON.stringify({ access_token: CLAIMS });

let backend: FaultyBackend;
let gateway: Gateway;
let env: Record<string, string>;
let secret: string;
let bearer: string;

beforeAll(async () => {
  backend = await startFaultyBackend();
  const jwk = await generateJwk('HS256', 'k1');
  secret = jwk.k ?? '';
  bearer = hs256(
    secret,
    { alg: 'HS256', kid: 'k1', typ: 'JWT' },
    { ...CLAIMS, iss: 'https://krakend.io' },
  );
  env = {
    BACKEND_HOST: backend.url,
    BACKEND_TIMEOUT_MS: String(DEADLINE),
    BACKEND_MAX_BODY: '1mb',
    SIGNER_KID: 'k1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
  };
  gateway = await startGateway(env);
  // What a cold process takes for its first request is no part of a deadline.
  await expectRecovery();
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.down();
});

const answerWith =
  (...parts: (string | Buffer)[]): Fault =>
  (socket) => {
    for (const piece of parts) socket.write(piece);
  };
const thenClose =
  (...parts: (string | Buffer)[]): Fault =>
  (socket) => {
    for (const piece of parts) socket.write(piece);
    socket.end();
  };
const head = (fields: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${fields}\r\n\r\n`;
/** Writes a piece every 20 ms for as long as anybody listens. */
const drip =
  (start: string, piece: string): Fault =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on('close', () => clearInterval(timer));
  };

const postToken = (at: Gateway = gateway): Promise<Answer> =>
  call(`${at.url}/token`, { method: 'POST' });
const getCustom = (): Promise<Answer> => callWith(`${gateway.url}/private/custom`, bearer);

/** A busy machine may be slow once; a gateway that is too slow is so every time. */
async function within(ms: number, request: () => Promise<Answer>): Promise<Answer> {
  let answer = await request();
  for (let again = 0; again < 2 && answer.ms > ms; again++) answer = await request();
  expect(answer.ms).toBeLessThanOrEqual(ms);
  return answer;
}

/** The next good request of each route is served. */
async function expectRecovery(): Promise<void> {
  backend.does(answerWith(reply(GOOD)));
  const token = await postToken();
  expect([token.status, part(String(token.json.access_token), 1).sub]).toEqual([200, 'user']);
  const custom = await getCustom();
  expect([custom.status, custom.text]).toEqual([200, GOOD]);
}

type Row = [name: string, status: number, code: string, fault: Fault];
const bad = (name: string, fault: Fault): Row => [name, 502, 'backend_bad_response', fault];
const broken = (name: string, fault: Fault): Row => [name, 502, 'backend_unavailable', fault];
const late = (name: string, fault: Fault): Row => [name, 504, 'backend_timeout', fault];
const unpacked = (bytes: Buffer, encoding: string): Fault =>
  answerWith(reply(bytes, { 'Content-Encoding': encoding }));

const FAULTS: Row[] = [
  late('no answer at all', () => undefined),
  late('headers that never end', drip('HTTP/1.1 200 OK\r\n', `x-drip: ${CANARY}\r\n`)),
  late('a drip that never ends', drip(head('Content-Length: 900000'), ' ')),
  late('a chunked drip that never ends', drip(head('Transfer-Encoding: chunked'), '1\r\n \r\n')),
  late('a hang in the middle of the body', answerWith(head('Content-Length: 1000'), BAD)),
  broken('a close before the answer', (socket) => socket.end()),
  broken('a reset before the answer', (socket) => socket.resetAndDestroy()),
  broken('a reset in the middle of the body', (socket) => {
    socket.write(head('Content-Length: 1000') + BAD, () =>
      setImmediate(() => socket.resetAndDestroy()),
    );
  }),
  broken('less than Content-Length', thenClose(head('Content-Length: 10000'), BAD)),
  broken(
    'chunks without the last one',
    thenClose(head('Transfer-Encoding: chunked'), `${BAD.length.toString(16)}\r\n${BAD}\r\n`),
  ),
  bad('more than Content-Length', thenClose(head('Content-Length: 9'), BAD)),
  bad('10 MB', answerWith(reply(`{"access_token":{"sub":"${CANARY.repeat(1_000_000)}"}}`))),
  bad(
    'a length of 10 MB',
    answerWith(head('Content-Length: 10000000'), Buffer.alloc(1_100_000, 32)),
  ),
  bad(
    'a gzip bomb',
    unpacked(gzipSync(`{"a":"${CANARY}${'0'.repeat(120 * 1024 * 1024)}"}`), 'gzip'),
  ),
  bad('two encodings', unpacked(gzipSync(gzipSync(BAD)), 'gzip, gzip')),
  bad('an unknown encoding', unpacked(Buffer.from(BAD), 'zstd-42')),
  bad('gzip that is none', unpacked(Buffer.from(BAD), 'gzip')),
  bad(
    'HTML',
    answerWith(reply(`<html>${CANARY}</html>`, { 'Content-Type': 'text/html; charset=utf-8' })),
  ),
  bad('JSON declared as text', answerWith(reply(BAD, { 'Content-Type': 'text/plain' }))),
  bad('HTML declared as JSON', answerWith(reply(`<html>${CANARY}</html>`))),
  bad('null', answerWith(reply('null'))),
  bad('a number', answerWith(reply('42'))),
  bad('a string', answerWith(reply(`"${CANARY}"`))),
  bad('nothing', answerWith(reply(''))),
  bad('half of the JSON', answerWith(reply(BAD.slice(0, -2)))),
  bad('invalid UTF-8', answerWith(reply(Buffer.from(`{"access_token":{"sub":"\xff"}}`, 'latin1')))),
  bad('arrays 100,000 levels deep', answerWith(reply('['.repeat(1e5) + ']'.repeat(1e5)))),
  bad(
    'objects 100,000 levels deep',
    answerWith(reply(`{"access_token":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`)),
  ),
  bad(
    'depth and a number that needs exact parsing',
    answerWith(reply(`{"a":${'['.repeat(1e5)}9007199254740993${']'.repeat(1e5)}}`)),
  ),
  bad('500', answerWith(reply(BAD, {}, '500 Internal Server Error'))),
  bad('503', answerWith(reply(BAD, {}, '503 Service Unavailable'))),
  bad('garbage that is not HTTP', answerWith(`${CANARY} garbage\r\n\r\n`)),
  bad('a status that is none', answerWith(`HTTP/1.1 abc ${CANARY}\r\n\r\n`)),
  bad('two lengths', answerWith(head(`Content-Length: ${BAD.length}\r\nContent-Length: 5`), BAD)),
];

describe('a faulty backend', () => {
  it.each(FAULTS)('%s: %i %s, on both routes', async (_name, status, code, fault) => {
    for (const request of [postToken, getCustom]) {
      backend.does(fault);
      const before = backend.requests.length;
      let asked = 0;
      const answer = await within(DEADLINE + limit(100, 1000), () => {
        asked++;
        return request();
      });
      expectError(answer, status, code, 'server_error');
      expect(answer.text).not.toMatch(new RegExp(`${CANARY}|eyJ`));
      expect(answer.json).not.toHaveProperty('access_token');
      // Once bytes went out, nothing is asked twice.
      expect(backend.requests.length - before).toBe(asked);
    }
    await expectRecovery();
  });

  it('204: nothing to sign is a 502 of the token route, and an answer of the other', async () => {
    backend.does(answerWith('HTTP/1.1 204 No Content\r\n\r\n'));
    expectError(await postToken(), 502, 'backend_bad_response', 'server_error');
    const answer = await getCustom();
    expect([answer.status, answer.text]).toEqual([204, '']);
    await expectRecovery();
  });

  it('a refused connection: 502 at once, and served again after it is back', async () => {
    await backend.down();
    const answers = [await postToken(), await getCustom()];
    await backend.up();
    for (const answer of answers) {
      expectError(answer, 502, 'backend_unavailable', 'server_error');
      expect(answer.ms).toBeLessThan(limit(100, 2000));
    }
    await expectRecovery();
  });

  it('an array where claims should be: 502 on POST /token, passed by GET /private/custom', async () => {
    const list = JSON.stringify([{ access_token: CLAIMS }]);
    backend.does(answerWith(reply(list)));
    const answer = await postToken();
    expectError(answer, 502, 'sign_target_missing', 'server_error');
    expect(answer.text).not.toContain(CANARY);
    expect((await getCustom()).text).toBe(list);
    await expectRecovery();
  });

  it('100,000 members: quick, whatever the answer', async () => {
    const members = Array.from({ length: 1e5 }, (_, i) => `"${i.toString(36)}":1`).join();
    for (const body of [`{"access_token":{${members}}}`, `{${members},"access_token":{}}`]) {
      backend.does(answerWith(reply(body)));
      const answer = await within(limit(500, 10_000), postToken);
      figure(`F11 100,000 members in ${Math.round(answer.ms)} ms (criterion 500)`);
      expect([200, 502]).toContain(answer.status);
    }
    await expectRecovery();
  });

  it.each([
    '301 Moved Permanently',
    '302 Found',
    '307 Temporary Redirect',
    '308 Permanent Redirect',
  ])('%s: 502, and nobody goes there', async (status) => {
    const target = await startFaultyBackend();
    target.does(answerWith(reply(GOOD)));
    backend.does(answerWith(reply(BAD, { Location: `${target.url}/token.json` }, status)));
    for (const request of [postToken, getCustom])
      expectError(await request(), 502, 'backend_bad_response', 'server_error');
    expect(target.requests).toEqual([]);
    await target.down();
    await expectRecovery();
  });

  it.each([
    ['gzip', gzipSync(GOOD)],
    ['br', brotliCompressSync(GOOD)],
    ['deflate', deflateSync(GOOD)],
    ['identity', Buffer.from(GOOD)],
  ])('a single %s that nobody asked for is understood', async (encoding, bytes) => {
    backend.does(unpacked(bytes, encoding));
    expect(part(String((await postToken()).json.access_token), 1).sub).toBe('user');
    const custom = await getCustom();
    expect([custom.text, custom.headers.get('content-encoding')]).toEqual([GOOD, null]);
    expect(backend.requests.at(-1)).toMatch(/^accept-encoding: identity\r$/im);
  });
});

describe('a backend that refuses', () => {
  const REFUSAL =
    '{ "error" : "invalid_grant",\n\t"détail": "\\u00e9 9007199254740993",  "n": 1.0 }';

  it.each([
    ['400 Bad Request', 400],
    ['401 Unauthorized', 401],
    ['403 Forbidden', 403],
    ['409 Conflict', 409],
    ['422 Unprocessable Entity', 422],
    ['429 Too Many Requests', 429],
  ])('%s with JSON reaches the client byte for byte', async (line, status) => {
    backend.does(answerWith(reply(REFUSAL, { 'Content-Type': 'application/problem+json' }, line)));
    for (const request of [postToken, getCustom]) {
      const answer = await request();
      expect(answer.status).toBe(status);
      expect(answer.bytes.equals(Buffer.from(REFUSAL))).toBe(true);
      expect(answer.headers.get('content-type')).toMatch(/^application\/(problem\+)?json/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    await expectRecovery();
  });

  it.each([
    ['HTML', `<h1>${CANARY}</h1>`, 'text/html'],
    ['broken JSON', `{"a":"${CANARY}`, 'application/json'],
    ['nothing', '', 'application/json'],
  ])('401 with %s is replaced', async (_name, body, type) => {
    backend.does(answerWith(reply(body, { 'Content-Type': type }, '401 Unauthorized')));
    for (const request of [postToken, getCustom]) {
      const answer = await request();
      expectError(answer, 401, 'backend_refused');
      expect(answer.text).not.toContain(CANARY);
    }
    await expectRecovery();
  });

  it('claims in a refusal are not signed', async () => {
    backend.does(answerWith(reply(GOOD, {}, '400 Bad Request')));
    const answer = await postToken();
    expect([answer.status, answer.text]).toEqual([400, GOOD]);
  });
});

describe('numbers and names', () => {
  const payloadText = (token: unknown): string =>
    Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString();

  it('keeps every digit, in claims and beside them', async () => {
    const body =
      `{"access_token":{"sub":"user","big":9007199254740993,"deep":[{"n":-12345678901234567890}],"huge":1e400,"exp":${EXP}},` +
      '"balance":9007199254740993,"list":[0.1234567890123456789],"token_type":"Bearer"}';
    backend.does(answerWith(reply(body)));
    const { status, text, json } = await postToken();
    expect(status).toBe(200);
    expect(text).toContain('"balance":9007199254740993,"list":[0.1234567890123456789]');
    expect(payloadText(json.access_token)).toContain(
      '"big":9007199254740993,"deep":[{"n":-12345678901234567890}],"huge":1e400',
    );
    expect((await getCustom()).text).toBe(body);
  });

  it('takes __proto__ and constructor for names like any other', async () => {
    const hostile =
      '"__proto__":{"exp":1,"polluted":true},"constructor":{"prototype":{"polluted":true}}';
    backend.does(
      answerWith(reply(`{"access_token":{"sub":"user",${hostile}},${hostile},"hasOwnProperty":1}`)),
    );
    const answer = await postToken();
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(hostile);
    const payload = payloadText(answer.json.access_token);
    expect(payload).toContain(hostile);
    expect(JSON.parse(payload)).toMatchObject({ exp: expect.any(Number) as number });
    expect((JSON.parse(payload) as { exp: number }).exp).toBeGreaterThan(Date.now() / 1000);
    await expectRecovery();
    const { text, json } = await postToken();
    expect(text + payloadText(json.access_token)).not.toContain('polluted');
  });

  it('does not sign fields that are only inherited', async () => {
    backend.does(answerWith(reply(`{"__proto__":{"access_token":${JSON.stringify(CLAIMS)}}}`)));
    expectError(await postToken(), 502, 'sign_target_missing');
  });
});

describe('claims that cannot be signed', () => {
  const PAST = Math.floor(Date.now() / 1000) - 60;
  const sends = (body: unknown): void =>
    backend.does(answerWith(reply(typeof body === 'string' ? body : JSON.stringify(body))));

  it.each(['1e400', '-1e400', '"soon"', 'null', 'true', '{}', '[1]'])('exp %s', async (exp) => {
    sends(`{"access_token":{"sub":"${CANARY}","exp":${exp}}}`);
    const answer = await postToken();
    expectError(answer, 502, 'sign_target_invalid', 'server_error');
    expect(answer.json.error_description).toContain('access_token.exp');
    expect(answer.text).not.toContain(CANARY);
  });

  it.each([
    ['a string', `"${CANARY}"`],
    ['null', 'null'],
    ['an array', `["${CANARY}"]`],
    ['a number', '9007199254740993'],
    ['a boolean', 'true'],
  ])('access_token holds %s: nothing of the answer is signed', async (what, value) => {
    sends(`{"refresh_token":{"sub":"${CANARY}"},"access_token":${value}}`);
    const answer = await postToken();
    expectError(answer, 502, 'sign_target_invalid', 'server_error');
    expect(answer.json.error_description).toContain('access_token');
    expect(answer.text).not.toMatch(new RegExp(`${CANARY}|eyJ|refresh_token"`));
    expect(what).not.toBe('');
  });

  it('no field to sign: names the fields asked for and seen', async () => {
    sends({ accessToken: CLAIMS, id: 1 });
    const answer = await postToken();
    expectError(answer, 502, 'sign_target_missing', 'server_error');
    expect(answer.json.error_description).toMatch(/access_token, refresh_token.*accessToken, id/);
    expect(answer.text).not.toContain(CANARY);
    sends({});
    expectError(await postToken(), 502, 'sign_target_missing', 'server_error');
  });

  it('exp in the past: refused', async () => {
    sends({ access_token: { ...CLAIMS, exp: PAST } });
    const answer = await postToken();
    expectError(answer, 502, 'claims_expired', 'server_error');
    expect(answer.json.error_description).toContain('set SIGNER_STALE_EXP to renew');
    expect(answer.text).not.toContain(CANARY);
    sends({ access_token: { sub: 'user' }, refresh_token: { ...CLAIMS, exp: PAST } });
    expectError(await postToken(), 502, 'claims_expired', 'server_error');
  });

  describe('with other settings', () => {
    let other: Gateway;
    const start = async (settings: Record<string, string>): Promise<void> => {
      other = await hostGateway({ ...env, ...settings });
    };
    const signed = async (field: string): Promise<Record<string, unknown>> => {
      const answer = await postToken(other);
      expect(answer.status).toBe(200);
      return part(String(answer.json[field]), 1);
    };
    it('SIGNER_STALE_EXP=renew gives a new exp from the lifetime of each field', async () => {
      await start({
        SIGNER_STALE_EXP: 'renew',
        SIGNER_ACCESS_TTL: '100',
        SIGNER_REFRESH_TTL: '1000',
      });
      sends({ access_token: { sub: 'a', exp: PAST }, refresh_token: { sub: 'r', exp: PAST } });
      const now = Date.now() / 1000;
      expect(Math.abs(Number((await signed('access_token')).exp) - now - 100)).toBeLessThan(10);
      expect(Math.abs(Number((await signed('refresh_token')).exp) - now - 1000)).toBeLessThan(10);
      sends({ access_token: { sub: 'a', exp: EXP } });
      expect((await signed('access_token')).exp).toBe(EXP);
    });

    it('SIGNER_STALE_EXP=keep signs what was sent', async () => {
      await start({ SIGNER_STALE_EXP: 'keep' });
      sends({ access_token: { sub: 'a', exp: PAST } });
      expect((await signed('access_token')).exp).toBe(PAST);
      expect((await postToken(other)).json.expires_in).toBe(0);
    });

    it('SIGNER_REQUIRE_ALL_KEYS=true needs every field', async () => {
      await start({ SIGNER_REQUIRE_ALL_KEYS: 'true' });
      sends({ access_token: CLAIMS });
      const answer = await postToken(other);
      expectError(answer, 502, 'sign_target_missing', 'server_error');
      expect(answer.text).not.toContain(CANARY);
      sends({ access_token: { sub: 'a' }, refresh_token: { sub: 'r' } });
      expect((await signed('refresh_token')).sub).toBe('r');
    });
  });
});

it('leaves nothing of it in the log', () => {
  const log = gateway.output();
  expect(gateway.log().filter(({ msg }) => msg === 'request').length).toBeGreaterThan(100);
  expect(log).not.toMatch(new RegExp(`eyJ|${CANARY}|polluted`));
  expect(log).not.toContain(secret);
});
