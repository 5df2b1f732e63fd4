import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../errors/index.js';
import { bearerToken, tokenMissing, type TokenPlaces } from './bearer-token.js';

const HEADER_ONLY: TokenPlaces = { authHeaderName: 'authorization', cookieKey: undefined };
const WITH_COOKIE: TokenPlaces = { ...HEADER_ONLY, cookieKey: 'session' };
const CUSTOM: TokenPlaces = { authHeaderName: 'x-token', cookieKey: undefined };

// Node joins, drops and trims headers; a request made by hand would not be what the guard sees.
let server: Server;
beforeAll(async () => {
  server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

async function receive(headers: readonly string[], url = '/private'): Promise<IncomingMessage> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const received = once(server, 'request');
  socket.end(
    [`GET ${url} HTTP/1.1`, 'Host: a', ...headers, 'Connection: close', '', ''].join('\r\n'),
  );
  const [request] = (await received) as [IncomingMessage];
  socket.destroy();
  return request;
}

/** The token, with its source unless that is the header; `none`, or the code of the refusal. */
async function read(
  headers: readonly string[],
  places = HEADER_ONLY,
  url?: string,
): Promise<string> {
  const request = await receive(headers, url);
  try {
    const found = bearerToken(request, places);
    if (found === undefined) return 'none';
    if (found.scheme === 'DPoP') return `${found.token} (${found.scheme})`;
    return found.source === 'header' ? found.token : `${found.token} (${found.source})`;
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return `! ${error.code}`;
  }
}

describe('bearerToken', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('takes the scheme %s', async (scheme) => {
    expect(await read([`Authorization: ${scheme} a.b.c`])).toBe('a.b.c');
  });

  it.each(['DPoP', 'dpop', 'DPOP', 'dPoP'])(
    'takes the scheme %s for what it is',
    async (scheme) => {
      expect(await read([`Authorization: ${scheme} a.b.c`])).toBe('a.b.c (DPoP)');
      expect(await read([`X-Token: ${scheme}  a.b.c `], CUSTOM)).toBe('a.b.c (DPoP)');
      for (const empty of [scheme, `${scheme} `])
        expect(await read([`Authorization: ${empty}`])).toBe('none');
      expect(await read([`Authorization: ${scheme} a.b.c`], WITH_COOKIE, '/?access_token=x')).toBe(
        '! token_ambiguous',
      );
    },
  );

  it('knows the scheme of each token', async () => {
    const schemeOf = async (header: string, places = HEADER_ONLY) =>
      bearerToken(await receive([header]), places)?.scheme;
    expect(await schemeOf('Authorization: bearer a.b.c')).toBe('Bearer');
    expect(await schemeOf('X-Token: a.b.c', CUSTOM)).toBeUndefined();
    expect(await schemeOf('Cookie: session=DPoP a.b.c', WITH_COOKIE)).toBeUndefined();
  });

  it('takes any number of blanks around the token, and none inside of it away', async () => {
    expect(await read(['Authorization: Bearer    a.b.c  '])).toBe('a.b.c');
    expect(await read(['Authorization: Bearer a.b.c d'])).toBe('a.b.c d');
  });

  it.each([
    ['nothing', []],
    ['an empty header', ['Authorization:']],
    ['the scheme alone', ['Authorization: Bearer']],
    ['the scheme and blanks', ['Authorization: Bearer   ']],
    ['a token without scheme', ['Authorization: a.b.c']],
    ['a longer scheme', ['Authorization: Bearerx a.b.c']],
    ['a scheme that begins so', ['Authorization: DPoP2 a.b.c']],
    ['a proof alone', ['DPoP: a.b.c']],
    ['a scheme that ends so', ['Authorization: xBearer a.b.c']],
    ['Basic', ['Authorization: Basic dXNlcjpwYXNz']],
    ['Basic with a bearer inside', ['Authorization: Basic Bearer a.b.c']],
    ['another header', ['X-Token: a.b.c']],
    ['a cookie that is not configured', ['Cookie: session=a.b.c; Authorization=a.b.c']],
  ])('finds no token in %s', async (_what, headers) => {
    expect(await read(headers)).toBe('none');
  });

  it('does not read a token from the URL', async () => {
    expect(await read([], HEADER_ONLY, '/private?access_token=a.b.c')).toBe('none');
  });

  it.each(['?access_token=x', '?a=1&access_token=', '?access%5Ftoken=x', '?%61ccess_token=x'])(
    'refuses a token in the header and one in the URL: %s',
    async (query) => {
      const url = `/private${query}`;
      expect(await read(['Authorization: Bearer a.b.c'], HEADER_ONLY, url)).toBe(
        '! token_ambiguous',
      );
    },
  );

  it.each(['/x?my_access_token=1', '/x?a=access_token=1', '/access_token=1', '/x&access_token=1'])(
    'is not disturbed by a URL that names no token: %s',
    async (url) => {
      expect(await read(['Authorization: Bearer a.b.c'], HEADER_ONLY, url)).toBe('a.b.c');
    },
  );

  it.each([
    ['Authorization: Bearer a.b.c', 'Authorization: Bearer d.e.f'],
    ['Authorization: Bearer a.b.c', 'AUTHORIZATION: Bearer a.b.c'],
    ['Authorization: Basic x', 'authorization: Bearer a.b.c'],
    ['Authorization: DPoP a.b.c', 'Authorization: Bearer a.b.c'],
  ])('refuses two headers: %s, %s', async (one, two) => {
    expect(await read([one, two])).toBe('! token_ambiguous');
  });

  it('takes a token with or without scheme from a header of its own', async () => {
    expect(await read(['X-Token: a.b.c'], CUSTOM)).toBe('a.b.c');
    expect(await read(['x-token: bearer a.b.c'], CUSTOM)).toBe('a.b.c');
    expect(await read(['Authorization: Bearer a.b.c'], CUSTOM)).toBe('none');
    expect(await read(['X-Token: a.b.c', 'X-Token: d.e.f'], CUSTOM)).toBe('! token_ambiguous');
  });
});

describe('bearerToken with a cookie configured', () => {
  it.each([
    ['alone', 'session=a.b.c'],
    ['among others', 'a=1; session=a.b.c; b=2'],
    ['without blanks', 'a=1;session=a.b.c;b=2'],
    ['in quotes', 'session="a.b.c"'],
    ['beside names that end or begin like it', 'xsession=1; session=a.b.c; sessionx=2'],
  ])('takes it %s', async (_how, cookie) => {
    expect(await read([`Cookie: ${cookie}`], WITH_COOKIE)).toBe('a.b.c (cookie)');
  });

  it.each([
    ['in another case', 'Session=a.b.c'],
    ['empty', 'session='],
    ['empty quotes', 'session=""'],
    ['inside another value', 'a=session=a.b.c'],
  ])('does not take it %s', async (_how, cookie) => {
    expect(await read([`Cookie: ${cookie}`], WITH_COOKIE)).toBe('none');
  });

  it.each([
    [['Cookie: session=a.b.c; session=d.e.f']],
    [['Cookie: session=a', 'Cookie: session=b']],
  ])('refuses two of them: %j', async (headers) => {
    expect(await read(headers, WITH_COOKIE)).toBe('! token_ambiguous');
  });

  it('lets the header win', async () => {
    const headers = ['Cookie: session=d.e.f', 'Authorization: Bearer a.b.c'];
    expect(await read(headers, WITH_COOKIE)).toBe('a.b.c');
  });

  it.each(['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Bearer', 'Authorization:'])(
    'is not blocked by a header without a bearer token: %s',
    async (header) => {
      expect(await read([header, 'Cookie: session=a.b.c'], WITH_COOKIE)).toBe('a.b.c (cookie)');
    },
  );
});

describe('tokenMissing', () => {
  const explanation = async (...headers: string[]): Promise<string> =>
    tokenMissing(await receive(headers), WITH_COOKIE).explanation;
  const MISSING = 'no bearer token in the authorization header or the session cookie';

  it.each([
    ['none at all'],
    ['an empty one', 'Authorization: '],
    ['Bearer alone', 'Authorization: Bearer '],
  ])('says where it looked: %s', async (_what, ...headers) => {
    expect(await explanation(...headers)).toBe(MISSING);
  });

  it.each(['JWT', 'Token', 'Basic', 'AWS-SIGV'])('names the scheme %s', async (scheme) => {
    expect(await explanation(`Authorization: ${scheme} eyJhbGciOi`)).toBe(
      `${MISSING}: its scheme is ${scheme}, not Bearer`,
    );
  });

  it.each(['eyJhbGciOi.e30.x', 'Bearer:eyJhbGciOi', 'secretpassword', `${'x'.repeat(40)} y`])(
    'repeats nothing that may be a credential: %s',
    async (value) => {
      expect(await explanation(`Authorization: ${value}`)).toBe(
        `${MISSING}: write Bearer and a blank before the token`,
      );
    },
  );
});
