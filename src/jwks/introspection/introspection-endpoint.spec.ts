import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IntrospectionOptions } from '../../core/verify/index.js';
import { IntrospectionEndpoint, type IntrospectionOutcome } from './introspection-endpoint.js';
import { IntrospectionEndpoints } from './introspection-endpoints.service.js';
import type { JwksModuleOptions } from '../jwks.module-definition.js';

const SECRET = 'a secret+of%the:test';
const TOKEN = 'an-opaque-token';
const now = (): number => Math.floor(Date.now() / 1000);

let server: Server, port: number;
let handle: RequestListener;
/** Requests so far, and the connections that they came by. */
let seen: { body: string; headers: IncomingMessage['headers'] }[];
let sockets: Set<Socket>;
let outcomes: IntrospectionOutcome[];
let logged: string[];
let opened: IntrospectionEndpoint[];
let folder: string;

beforeEach(async () => {
  seen = [];
  sockets = new Set();
  outcomes = [];
  logged = [];
  opened = [];
  folder = mkdtempSync(join(tmpdir(), 'signet-introspection-'));
  handle = answerWith({ active: true, exp: now() + 60, sub: 'u1' });
  server = createServer((request, response) => {
    sockets.add(request.socket);
    const received = async (): Promise<void> => {
      seen.push({ body: await text(request), headers: request.headers });
      handle(request, response);
    };
    void received();
  });
  port = 0;
  await up();
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => {
      logged.push(`${level} ${String(line)}`);
    });
});
afterEach(async () => {
  for (const endpoint of opened) endpoint.close();
  await down();
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
  // Whatever happened, no line of a log may hold one of these.
  const leak = logged.find((line) => /a secret|an-opaque/.test(line));
  if (leak !== undefined) throw new Error(`a secret is logged: ${leak}`);
});
const up = async (): Promise<void> => {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
};
const down = async (): Promise<void> => {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
};

const answerWith =
  (body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };

async function open(
  options: Partial<IntrospectionOptions> = {},
  module: JwksModuleOptions = {},
): Promise<IntrospectionEndpoint> {
  const endpoint = new IntrospectionEndpoint(
    { url: `http://127.0.0.1:${port}/introspect`, ...options },
    { remote: { allowHttp: true }, ...module },
    (outcome) => outcomes.push(outcome),
  );
  opened.push(endpoint);
  await endpoint.open();
  return endpoint;
}

/** Claims, `undefined`, or status and reason of the failure. */
async function ask(endpoint: IntrospectionEndpoint, token = TOKEN): Promise<unknown> {
  try {
    return await endpoint.ask(token);
  } catch (error) {
    const { status, code, explanation } = error as {
      status: number;
      code: string;
      explanation: string;
    };
    return `${status} ${code}: ${explanation}`;
  }
}

describe('a call', () => {
  it('is a form with the token, and no redirect and no compression is asked for', async () => {
    const endpoint = await open();
    expect(await ask(endpoint)).toEqual({ exp: expect.any(Number) as number, sub: 'u1' });
    expect(seen[0]?.body).toBe(`token=${TOKEN}&token_type_hint=access_token`);
    expect(seen[0]?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      'accept-encoding': 'identity',
    });
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  it('encodes what a form encodes', async () => {
    await ask(await open(), 'a+b/c==');
    expect(new URLSearchParams(seen[0]?.body).get('token')).toBe('a+b/c==');
  });

  it('authenticates the client by header, encoded twice (RFC 6749 section 2.3.1)', async () => {
    await ask(await open({ clientId: 'the gateway', clientSecret: SECRET }));
    const [scheme, pair = ''] = seen[0]?.headers.authorization?.split(' ') ?? [];
    expect([scheme, Buffer.from(pair, 'base64').toString()]).toEqual([
      'Basic',
      'the+gateway:a+secret%2Bof%25the%3Atest',
    ]);
    expect(seen[0]?.body).not.toContain('client');
  });

  it('or in the form', async () => {
    const client = {
      clientId: 'gw',
      clientSecret: SECRET,
      authMethod: 'client_secret_post',
    } as const;
    await ask(await open(client));
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      token: TOKEN,
      token_type_hint: 'access_token',
      client_id: 'gw',
      client_secret: SECRET,
    });
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  it('keeps connections, and uses a fresh one where the server has closed it', async () => {
    const endpoint = await open({ cacheTtl: 0 });
    for (let i = 0; i < 10; i++) await ask(endpoint, `t${i}`);
    expect(sockets.size).toBeLessThan(4);
    handle = (request, response) => {
      // Only the first time.
      handle = answerWith({ active: false });
      request.socket.destroy();
      response.destroy();
    };
    expect(await ask(endpoint, 'c')).toBeUndefined();
    expect([seen.length, outcomes.length, outcomes.at(-1)]).toEqual([12, 11, 'inactive']);
  });
});

describe('an endpoint that gives no answer leads to 503, whatever it does', () => {
  const long = `{"active":true,"x":"${'x'.repeat(70_000)}"}`;
  it.each<[string, RequestListener, IntrospectionOutcome, RegExp]>([
    ['500', answerWith({ active: true }, 500), 'failed', /status 500/],
    ['503 with an answer', answerWith({ active: true }, 503), 'failed', /status 503/],
    ['401', answerWith({ active: true }, 401), 'refused', /client may not ask there \(status 401\)/],
    ['403', answerWith({ active: true }, 403), 'refused', /client may not ask/],
    ['400', answerWith({ active: true }, 400), 'refused', /status 400/],
    ['404', answerWith({ active: true }, 404), 'refused', /status 404/],
    ['a redirect', answerWith({ active: true }, 307, { location: '/other' }), 'refused', /status 307/],
    ['204', answerWith('', 204), 'refused', /status 204/],
    ['HTML', answerWith('<p>', 200, { 'content-type': 'text/html' }), 'bad_response', /plain JSON/],
    ['a JWT (RFC 9701)', answerWith('e.e.e', 200, { 'content-type': 'application/token-introspection+jwt' }), 'bad_response', /plain JSON/],
    ['gzip', answerWith('x', 200, { 'content-encoding': 'gzip' }), 'bad_response', /plain JSON/],
    ['no JSON', answerWith('active: true'), 'bad_response', /boolean 'active'/],
    ['nothing', answerWith(''), 'bad_response', /boolean 'active'/],
    ['null', answerWith('null'), 'bad_response', /boolean 'active'/],
    ['a list', answerWith([{ active: true }]), 'bad_response', /boolean 'active'/],
    ['no active', answerWith({ sub: 'u1' }), 'bad_response', /boolean 'active'/],
    ['active as text', answerWith({ active: 'true' }), 'bad_response', /boolean 'active'/],
    ['active as a number', answerWith({ active: 1 }), 'bad_response', /boolean 'active'/],
    ['active twice', answerWith('{"active":false,"active":true}'), 'bad_response', /unique members/],
    ['no UTF-8', answerWith(Buffer.from([...Buffer.from('{"active":true,"a":"'), 0xff, 0x22, 0x7d])), 'bad_response', /UTF-8/],
    ['too much', answerWith(long), 'bad_response', /larger than 65536 bytes/],
    ['silence', () => undefined, 'timeout', /within 300 ms/],
    ['a drip', (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'), 'timeout', /within 300 ms/],
    ['a reset', (request) => void request.socket.destroy(), 'unavailable', /cannot be fetched/],
  ])('%s', async (_what, listener, outcome, reason) => {
    handle = listener;
    const endpoint = await open({ timeoutMs: outcome === 'timeout' ? 300 : 10_000 });
    expect(await ask(endpoint)).toMatch(/^503 keys_unavailable: http:\/\/127\.0\.0\.1:\d+\/introspect: /);
    expect(await ask(endpoint)).toMatch(reason);
    expect(outcomes).toEqual([outcome, outcome]);
    // One line for both.
    expect(logged).toEqual([expect.stringMatching(/^error http:.*; the tokens to be asked about get 503$/)]);
    handle = answerWith({ active: false });
    expect(await ask(endpoint)).toBeUndefined();
    expect(logged.at(-1)).toMatch(/^log http:.*: answers again$/);
  }); // prettier-ignore

  it('no connection', async () => {
    const endpoint = await open();
    await down();
    expect(await ask(endpoint)).toMatch(/503 keys_unavailable: .*ECONNREFUSED/);
    await up();
    expect(await ask(endpoint)).toMatchObject({ sub: 'u1' });
  });

  it('is not asked any more after 20 failures in a row, until it answers again', async () => {
    const endpoint = await open();
    handle = answerWith('', 500);
    for (let i = 0; i < 20; i++) await ask(endpoint, `t${i}`);
    expect(seen.length).toBe(20);
    expect(await ask(endpoint)).toMatch(/503 keys_unavailable: .*was not asked.*status 500/);
    expect([seen.length, outcomes.at(-1)]).toEqual([20, 'not_asked']);
    handle = answerWith({ active: false });
    await expect.poll(() => ask(endpoint), { timeout: 5000 }).toBeUndefined();
    expect(await ask(endpoint, 'another')).toBeUndefined();
  });

  it('a refusal of one token after the other stops nobody', async () => {
    const endpoint = await open();
    handle = answerWith('', 400);
    for (let i = 0; i < 30; i++) await ask(endpoint, `t${i}`);
    handle = answerWith({ active: false });
    expect(await ask(endpoint)).toBeUndefined();
  });

  it('takes so many calls at the same time, and shares those for one token', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    handle = (request, response) => {
      const later = async (): Promise<void> => {
        await released;
        answerWith({ active: false })(request, response);
      };
      void later();
    };
    const endpoint = await open({ timeoutMs: 10_000 });
    const calls = Array.from({ length: 256 }, (_, i) => ask(endpoint, `t${i}`));
    const same = ask(endpoint, 't0');
    expect(await ask(endpoint, 'one more')).toMatch(/503 .*too many calls are under way/);
    release();
    expect(await Promise.all([...calls, same])).toEqual(Array.from({ length: 257 }));
    expect(seen.length).toBe(256);
  });
});

describe('an answer is remembered', () => {
  /** Returns the number of calls after asking twice, `ms` milliseconds apart. */
  const callsAfter = async (
    options: Partial<IntrospectionOptions>,
    body: object,
    ms: number,
  ): Promise<number> => {
    handle = answerWith(body);
    const endpoint = await open(options);
    const first = await ask(endpoint);
    const clock = vi.spyOn(performance, 'now');
    const start = performance.now();
    clock.mockImplementation(() => start + ms);
    expect(await ask(endpoint)).toEqual(first);
    clock.mockRestore();
    return seen.length;
  };

  it.each<[string, Partial<IntrospectionOptions>, () => object, number, number]>([
    ['for 30 s', {}, () => ({ active: true, exp: now() + 600 }), 29_900, 1],
    ['and no longer', {}, () => ({ active: true, exp: now() + 600 }), 30_000, 2],
    ['for cacheTtl', { cacheTtl: 2 }, () => ({ active: true, exp: now() + 600 }), 1900, 1],
    ['and no longer than that', { cacheTtl: 2 }, () => ({ active: true, exp: now() + 600 }), 2000, 2],
    ['not beyond its exp', {}, () => ({ active: true, exp: now() + 3 }), 3100, 2],
    ['until its exp', {}, () => ({ active: true, exp: now() + 4 }), 2900, 1],
    ['not at all once exp is past', {}, () => ({ active: true, exp: now() - 1 }), 0, 2],
    ['without exp for 30 s', {}, () => ({ active: true }), 29_900, 1],
    ['not active: for 5 s', {}, () => ({ active: false }), 4900, 1],
    ['not active: no longer', {}, () => ({ active: false }), 5000, 2],
    ['not active: no longer, whatever its exp says', {}, () => ({ active: false, exp: now() + 600 }), 5000, 2],
    ['not active: for cacheTtl where that is less', { cacheTtl: 2 }, () => ({ active: false }), 2000, 2],
    ['never with cacheTtl 0', { cacheTtl: 0 }, () => ({ active: true, exp: now() + 600 }), 0, 2],
    ['never with cacheTtl 0, not active', { cacheTtl: 0 }, () => ({ active: false }), 0, 2],
  ])('%s', async (_what, options, body, ms, calls) => {
    expect(await callsAfter(options, body(), ms)).toBe(calls);
  }); // prettier-ignore

  it('for its token only, and a failure never', async () => {
    const endpoint = await open();
    await ask(endpoint, 'a');
    handle = answerWith({ active: false });
    expect(await ask(endpoint, 'b')).toBeUndefined();
    expect(await ask(endpoint, 'a')).toMatchObject({ sub: 'u1' });
    handle = answerWith('', 500);
    expect(await ask(endpoint, 'c')).toMatch(/^503/);
    handle = answerWith({ active: true });
    expect(await ask(endpoint, 'c')).toEqual({});
  });

  it('and each request gets a copy of its own, with all digits', async () => {
    handle = answerWith('{"active":true,"n":9007199254740993,"roles":["a"]}');
    const endpoint = await open();
    const first = (await endpoint.ask(TOKEN)) as { roles: string[] };
    first.roles.push('admin');
    expect(JSON.stringify(await endpoint.ask(TOKEN))).toBe('{"n":9007199254740993,"roles":["a"]}');
    expect(seen.length).toBe(1);
  });
});

describe('the file with the client', () => {
  const write = (body: unknown, mode = 0o600): string => {
    const path = join(folder, 'client.json');
    writeFileSync(path, typeof body === 'string' ? body : JSON.stringify(body));
    chmodSync(path, mode);
    return path;
  };
  const CLIENT = { client_id: 'gw', client_secret: SECRET };

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /is not JSON/],
    ['a list', [CLIENT], /is not a JSON object/],
    ['a member twice', '{"client_id":"a","client_id":"b","client_secret":"c"}', /unique members/],
    ['another member', { ...CLIENT, secret: SECRET }, /has a member other than client_id/],
    ['no id', { client_secret: SECRET }, /client_id is not a string/],
    ['an empty id', { ...CLIENT, client_id: '' }, /client_id is not a string/],
    ['no secret', { client_id: 'gw' }, /client_secret is not a string/],
    ['a secret with a line break', { ...CLIENT, client_secret: 'a secret\n' }, /client_secret is not/],
    ['a secret that is a number', { ...CLIENT, client_secret: 1 }, /client_secret is not/],
    ['another method', { ...CLIENT, token_endpoint_auth_method: 'none' }, /one of client_secret_basic, client_secret_post/],
    ['too much', { ...CLIENT, client_id: 'x'.repeat(70_000) }, /larger than/],
  ])('is refused: %s', async (_what, body, reason) => {
    const path = write(body);
    const refusal = (await open({ clientFile: path }).catch((error: unknown) => error)) as Error;
    expect(refusal.message).toMatch(reason);
    expect(refusal.message).toContain(path);
    expect(refusal.message).not.toContain('a secret');
  }); // prettier-ignore

  it('is refused where others can read it, if key files are', async () => {
    const clientFile = write(CLIENT, 0o644);
    const refused = open({ clientFile }, { exposedKeyFiles: 'refuse' });
    await expect(refused).rejects.toThrow(/can be read or changed by others/);
    await open({ clientFile }, { exposedKeyFiles: 'allow' });
    expect(logged).toEqual([]);
    await open({ clientFile });
    expect(logged).toEqual([expect.stringMatching(/^warn .*can be read or changed by others/)]);
  });

  it('is followed; a bad one leaves the last good client in use', async () => {
    const clientFile = write(CLIENT);
    const endpoint = await open({ clientFile, cacheTtl: 0 }, { reloadIntervalMs: 50 });
    const idOf = async (): Promise<string> => {
      await ask(endpoint);
      const pair = seen.at(-1)?.headers.authorization?.split(' ')[1] ?? '';
      return Buffer.from(pair, 'base64').toString().split(':')[0] ?? '';
    };
    expect(await idOf()).toBe('gw');
    write({ ...CLIENT, client_id: 'next' });
    await expect.poll(idOf, { timeout: 5000 }).toBe('next');
    write('{');
    await expect.poll(() => logged.at(-1), { timeout: 5000 }).toMatch(/last good client stays/);
    expect(await idOf()).toBe('next');
  });
});

describe('options that cannot be used are refused at boot', () => {
  it.each<[string, Partial<IntrospectionOptions>, RegExp]>([
    ['no URL', { url: 'introspect' }, /not an http or https URL/],
    ['plain http', { url: 'http://id.example/introspect' }, /must be https/],
    ['credentials in the URL', { url: 'https://gw:secret@id.example' }, /holds credentials/],
    ['a CA that is none', { url: 'https://id.example', remote: { ca: 'x' } }, /not a certificate/],
    ['a pin that is none', { url: 'https://id.example', remote: { fingerprints: ['x'] } }, /fingerprint/],
    ['half a client', { url: 'https://id.example', clientId: 'gw' }, /client_secret/],
    ['two clients', { url: 'https://id.example', clientId: 'gw', clientFile: 'x' }, /choose one/],
    ['a cacheTtl below 0', { url: 'https://id.example', cacheTtl: -1 }, /'cacheTtl'/],
    ['a cacheTtl that is none', { url: 'https://id.example', cacheTtl: NaN }, /'cacheTtl'/],
    ['a day', { url: 'https://id.example', cacheTtl: 86_400 }, /'cacheTtl'/],
    ['no time', { url: 'https://id.example', timeoutMs: 0 }, /'timeoutMs'/],
  ])('%s', async (_what, options, reason) => {
    const endpoints = new IntrospectionEndpoints({});
    const refusal = endpoints.open(options as IntrospectionOptions);
    await expect(refusal).rejects.toThrow(/^the option introspection of AuthModule: /);
    await expect(refusal).rejects.toThrow(reason);
    await expect(refusal).rejects.not.toThrow(/gw:secret/);
  }); // prettier-ignore

  it('a file that is not there', async () => {
    const options = { url: 'https://id.example', clientFile: '/nowhere/client.json' };
    await expect(new IntrospectionEndpoints({}).open(options)).rejects.toThrow(
      'the option introspection.clientFile of AuthModule: /nowhere/client.json: cannot be read (ENOENT)',
    );
  });
});
