import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiscoveredKeys, metadataUrls } from './discovered-keys.js';

const JWKS = '{"keys":[]}';
let server: Server;
let origin: string;
let seen: string[];
/** What the provider answers, by path. */
let answers: Record<string, unknown>;
/** A path that is never answered. */
let hangs: string | undefined;

beforeEach(async () => {
  seen = [];
  answers = {};
  hangs = undefined;
  server = createServer(({ url = '' }, response) => {
    seen.push(url);
    if (url === hangs) return;
    const answer = answers[url];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  answers['/jwks'] = JWKS;
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

async function discover(issuer: string, options = {}): Promise<{ text: string } | string> {
  const keys = new DiscoveredKeys(issuer, { allowHttp: true, timeoutMs: 2000, ...options });
  try {
    return await keys.read();
  } catch (error) {
    return (error as Error).message;
  } finally {
    keys.close();
  }
}

describe('metadata of an issuer are looked for', () => {
  it.each([
    [
      'https://a',
      [
        'https://a/.well-known/openid-configuration',
        'https://a/.well-known/oauth-authorization-server',
      ],
    ],
    [
      'https://a/',
      [
        'https://a/.well-known/openid-configuration',
        'https://a/.well-known/oauth-authorization-server',
      ],
    ],
    [
      'https://a:8443/realms/x',
      [
        'https://a:8443/realms/x/.well-known/openid-configuration',
        'https://a:8443/.well-known/oauth-authorization-server/realms/x',
        'https://a:8443/realms/x/.well-known/oauth-authorization-server',
      ],
    ],
  ])('of %s in the order of the two specifications', (issuer, urls) => {
    expect(metadataUrls(new URL(issuer)).map(String)).toEqual(urls);
  });

  it.each([0, 1, 2])('and found at place %i, which is remembered', async (place) => {
    const issuer = `${origin}/realm`;
    const path = metadataUrls(new URL(issuer))[place]?.pathname ?? '';
    answers[path] = { issuer, jwks_uri: `${origin}/jwks` };
    const keys = new DiscoveredKeys(issuer, { allowHttp: true });
    expect(await keys.read()).toEqual({ text: JWKS, algorithms: undefined });
    expect(seen).toHaveLength(place + 2);
    await keys.read();
    expect(seen.slice(place + 2)).toEqual([path, '/jwks']);
    keys.close();
  });
});

describe('metadata are refused', () => {
  const place = '/.well-known/openid-configuration';
  it.each<[string, (issuer: string) => unknown, RegExp]>([
    ['of another issuer', () => ({ issuer: 'https://b' }), /of another issuer/],
    ['of an issuer spelt differently', (issuer) => ({ issuer: `${issuer}/` }), /another issuer/],
    ['without issuer', () => ({}), /of another issuer/],
    ['without jwks_uri', (issuer) => ({ issuer }), /no jwks_uri/],
    ['with a jwks_uri that is no URL', (issuer) => ({ issuer, jwks_uri: 'x' }), /http or https/],
    [
      'with credentials in jwks_uri',
      (issuer) => ({ issuer, jwks_uri: 'https://u:p@b/jwks' }),
      /credentials/,
    ],
    ['that are no JSON', () => '{', /not valid JSON/],
    ['that are a list', () => [], /not a JSON object/],
    [
      'with none but symmetric algorithms',
      (issuer) => ({
        issuer,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['HS256', 'none'],
      }),
      /no asymmetric algorithm/,
    ],
  ])('%s', async (_what, metadata, reason) => {
    answers[place] = metadata(origin);
    const problem = await discover(origin);
    expect(problem).toMatch(reason);
    expect(problem).toContain(origin);
  });

  it('by http, unless that is allowed for all or for the host', async () => {
    answers[place] = { issuer: origin, jwks_uri: `${origin}/jwks` };
    expect(() => new DiscoveredKeys(origin, {})).toThrow(/must be https/);
    expect(() => new DiscoveredKeys(origin, { httpHosts: ['other'] })).toThrow(/must be https/);
    expect(await discover(origin, { allowHttp: false, httpHosts: ['127.0.0.1'] })).toMatchObject({
      text: JWKS,
    });
  });

  it('with a jwks_uri by http on another host', async () => {
    answers[place] = { issuer: origin, jwks_uri: 'http://elsewhere/jwks' };
    const options = { allowHttp: false, httpHosts: ['127.0.0.1'] };
    expect(await discover(origin, options)).toMatch(/elsewhere.*must be https/);
  });

  it.each(['https://a?tenant=1', 'https://a#x', 'https://u:p@a', 'ftp://a', 'a'])(
    'of %s, which is no issuer',
    (issuer) => {
      expect(() => new DiscoveredKeys(issuer, {})).toThrow(/issuer|http or https|credentials/);
    },
  );
});

it('algorithms are what the metadata announce, cut to asymmetric ones that are known', async () => {
  answers['/.well-known/openid-configuration'] = {
    issuer: origin,
    jwks_uri: `${origin}/jwks`,
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'ES256K', 'none', 7],
    userinfo_signing_alg_values_supported: ['RS256', 'EdDSA'],
  };
  expect(await discover(origin)).toEqual({ text: JWKS, algorithms: ['RS256', 'EdDSA', 'Ed25519'] });
});

it.each(['EdDSA', 'Ed25519'])('%s announces both names of the algorithm', async (name) => {
  answers['/.well-known/openid-configuration'] = {
    issuer: origin,
    jwks_uri: `${origin}/jwks`,
    id_token_signing_alg_values_supported: [name],
  };
  expect(await discover(origin)).toMatchObject({ algorithms: ['EdDSA', 'Ed25519'] });
});

it('metadata and keys have one deadline, so that whoever waits for a key waits for one', async () => {
  const [first = ''] = metadataUrls(new URL(origin)).map(({ pathname }) => pathname);
  hangs = first;
  expect(await discover(origin, { timeoutMs: 200 })).toBe(
    `${origin}: no complete answer within 200 ms`,
  );
  expect(seen).toEqual([first]);
  hangs = '/jwks';
  answers[first] = { issuer: origin, jwks_uri: `${origin}/jwks` };
  expect(await discover(origin, { timeoutMs: 200 })).toMatch(/within (?:200|1\d\d) ms$/);
  expect(seen).toEqual([first, first, '/jwks']);
});

it('a byte order mark before metadata is ignored', async () => {
  const metadata = { issuer: origin, jwks_uri: `${origin}/jwks` };
  answers['/.well-known/openid-configuration'] = `\uFEFF${JSON.stringify(metadata)}`;
  expect(await discover(origin)).toMatchObject({ text: JWKS });
});

it('a moved jwks_uri is followed, and metadata that moved are found again', async () => {
  const keys = new DiscoveredKeys(origin, { allowHttp: true });
  answers['/.well-known/openid-configuration'] = { issuer: origin, jwks_uri: `${origin}/jwks` };
  await keys.read();
  answers['/.well-known/openid-configuration'] = { issuer: origin, jwks_uri: `${origin}/new` };
  answers['/new'] = '{"keys":[1]}';
  expect(await keys.read()).toMatchObject({ text: '{"keys":[1]}' });
  answers['/.well-known/oauth-authorization-server'] = answers['/.well-known/openid-configuration'];
  delete answers['/.well-known/openid-configuration'];
  await expect(keys.read()).rejects.toThrow(/404/);
  expect(await keys.read()).toMatchObject({ text: '{"keys":[1]}' });
  keys.close();
});
