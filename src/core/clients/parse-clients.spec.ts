import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clientSecretHash, isClientSecret, newClientSecret } from './client-secret.js';
import { ClientsError } from './clients.error.js';
import { checkClients, parseClients } from './parse-clients.js';

const SECRET = 'a-secret-that-must-not-be-told';
const HASH = clientSecretHash(SECRET);
const PRIVATE = {
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kid: 'k1',
};
const { d: _private, ...PUBLIC } = PRIVATE;

const JKT = 'A'.repeat(43);

type Members = Record<string, unknown>;
const client = (members: Members = {}): Members => ({
  client_id: 'shop',
  client_secret_sha256: HASH,
  grant_types: ['password'],
  ...members,
});
const byKey = (members: Members = {}): Members => {
  const { client_secret_sha256: _hash, ...others } = client();
  return { ...others, token_endpoint_auth_method: 'private_key_jwt', ...members };
};
const publicClient = (members: Members = {}): Members => ({
  ...byKey(),
  token_endpoint_auth_method: 'none',
  ...members,
});

const problemsIn = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ClientsError) return error.problems;
    throw error;
  }
  return [];
};
const problemsOf = (...clients: unknown[]): readonly string[] =>
  problemsIn(() => checkClients(clients, 'f'));

describe('a registration', () => {
  it.each<[string, Members]>([
    ['with the default method', client()],
    ['with Basic', client({ token_endpoint_auth_method: 'client_secret_basic' })],
    ['with post', client({ token_endpoint_auth_method: 'client_secret_post' })],
    ['with a key', byKey({ jwks: { keys: [PUBLIC] } })],
    ['with a URL of keys', byKey({ jwks_uri: 'https://shop.example/jwks?tenant=1' })],
    ['with an http URL, which may be refused later', byKey({ jwks_uri: 'http://shop/jwks' })],
    ['of a public client', publicClient()],
    ['that only introspects', client({ grant_types: [] })],
    ['with claims', client({ grant_types: ['client_credentials'], claims: { roles: ['a'] } })],
    ['with scopes', client({ scope: 'read write:x' })],
    ['with an audience', client({ audience: 'https://api' })],
    ['with several audiences', client({ audience: ['https://api', 'b'] })],
    ['without bound tokens', client({ dpop_bound_access_tokens: false })],
    ['with bound tokens', client({ dpop_bound_access_tokens: true })],
    ['with tokens that are bound to a key', client({ dpop_jkt: JKT })],
    ['with a long name', client({ client_id: 'x'.repeat(256) })],
    ['with a URL as its name', client({ client_id: 'https://shop.example/app:1' })],
  ])('%s is taken', (_what, registration) => {
    expect(problemsOf(registration)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [null, 'f: client 1: not an object'],
    [[], 'f: client 1: not an object'],
    ['shop', 'f: client 1: not an object'],
    [{ grant_types: [] }, "f: client 1: 'client_id' is missing"],
    [{ client_id: 'a' }, "f: client 'a': 'grant_types' is missing"],
    [client({ client_id: 1 }), "f: client 1: 'client_id' is not a string of 1 to 256"],
    [client({ client_id: '' }), "f: client 1: 'client_id' is not a string of 1 to 256"],
    [client({ client_id: 'a b' }), "f: client 1: 'client_id' is not a string of 1 to 256"],
    [client({ client_id: 'ä' }), "f: client 1: 'client_id' is not a string of 1 to 256"],
    [
      client({ client_id: 'x'.repeat(257) }),
      "f: client 1: 'client_id' is not a string of 1 to 256",
    ],
    [client({ client_secret: SECRET }), "'client_secret' does not belong into a file"],
    [client({ colour: 'red' }), "f: client 'shop': 'colour' is unknown"],
    [client({ grantTypes: [] }), "'grantTypes' is unknown"],
    [client({ ['__proto__x']: 1 }), "'__proto__x' is unknown"],
    [client({ constructor: 1 }), "'constructor' is unknown"],
    [client({ token_endpoint_auth_method: 'tls_client_auth' }), 'is not one of none, client_'],
    [client({ token_endpoint_auth_method: ['none'] }), 'is not one of none, client_'],
    [client({ client_secret_sha256: SECRET }), "'client_secret_sha256' is not the SHA-256"],
    [client({ client_secret_sha256: 'a'.repeat(64) }), "'client_secret_sha256' is not the SHA-256"],
    [client({ client_secret_sha256: `${HASH}=` }), "'client_secret_sha256' is not the SHA-256"],
    [client({ client_secret_sha256: null }), "'client_secret_sha256' is not the SHA-256"],
    [client({ grant_types: 'password' }), "'grant_types' is not a list of grant types"],
    [client({ grant_types: ['a', 'a'] }), "'grant_types' is not a list of grant types"],
    [client({ grant_types: ['a b'] }), "'grant_types' is not a list of grant types"],
    [client({ grant_types: [1] }), "'grant_types' is not a list of grant types"],
    [client({ scope: '' }), "'scope' is not a string of scopes"],
    [client({ scope: 'a  b' }), "'scope' is not a string of scopes"],
    [client({ scope: ['a'] }), "'scope' is not a string of scopes"],
    [client({ audience: '' }), "'audience' is not a string or a list"],
    [client({ audience: [] }), "'audience' is not a string or a list"],
    [client({ audience: [1] }), "'audience' is not a string or a list"],
    [client({ claims: [] }), "'claims' is not an object"],
    [client({ dpop_bound_access_tokens: 'false' }), 'is not true or false'],
    [client({ dpop_jkt: 'abc' }), "'dpop_jkt' is not the SHA-256 thumbprint of a key in base64url"],
    [client({ dpop_jkt: JKT, dpop_bound_access_tokens: false }), 'is set, and'],
    [byKey({ jwks: [] }), "'jwks' is not a JWK Set"],
    [byKey({ jwks: { keys: {} } }), "'jwks' is not a JWK Set"],
    [byKey({ jwks_uri: 'ftp://shop/jwks' }), "'jwks_uri' is not an https URL"],
    [byKey({ jwks_uri: 'https://u:p@shop/jwks' }), "'jwks_uri' is not an https URL"],
    [byKey(), "the method private_key_jwt needs one of 'jwks' and 'jwks_uri'"],
    [
      byKey({ jwks: { keys: [PUBLIC] }, jwks_uri: 'https://shop/jwks' }),
      "the method private_key_jwt needs one of 'jwks' and 'jwks_uri'",
    ],
    [byKey({ jwks: { keys: [] } }), 'jwks: there is no key'],
    [byKey({ jwks: { keys: [PRIVATE] } }), "kid 'k1' is a secret or private key"],
    [
      byKey({ jwks: { keys: [PUBLIC] }, client_secret_sha256: HASH }),
      "'client_secret_sha256' does not go with",
    ],
    [publicClient({ client_secret_sha256: HASH }), "'client_secret_sha256' does not go with"],
    [publicClient({ jwks_uri: 'https://a' }), "'jwks_uri' does not go with the method none"],
    [client({ client_secret_sha256: undefined }), "needs 'client_secret_sha256'"],
    [
      client({ jwks_uri: 'https://a' }),
      "'jwks_uri' does not go with the method client_secret_basic",
    ],
    [
      { client_id: 'a', grant_types: [] },
      "the method client_secret_basic needs 'client_secret_sha256'",
    ],
    [publicClient({ grant_types: ['client_credentials'] }), 'is for clients with credentials'],
    [client({ claims: {} }), "'claims' is for the grant type client_credentials"],
    [
      client({ grant_types: ['client_credentials'], claims: { sub: 'root', aud: 'x', a: 1 } }),
      "'claims' holds sub, aud, which the gateway itself decides",
    ],
  ])('%j is refused: %s', (registration, problem) => {
    const problems = problemsOf(registration);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    expect(problems.join()).not.toMatch(new RegExp(`${SECRET}|${HASH}|${PRIVATE.d}`));
  });

  it('is named with all its problems, and those of the others', () => {
    const problems = problemsOf(
      client({ scope: '', audience: '' }),
      client({ client_id: 'b' }),
      client({ client_id: 'b' }),
    );
    expect(problems).toEqual([
      expect.stringMatching(/^f: client 'shop': 'scope' is not/),
      expect.stringMatching(/^f: client 'shop': 'audience' is not/),
      "f: client 'b': is there twice",
    ]);
    const many = problemsOf(...Array.from({ length: 50 }, () => null));
    expect([many.length, many.at(-1)]).toEqual([21, 'f: and 30 more']);
  });
});

describe('a file of clients', () => {
  it('is read with all that it says', () => {
    const text = JSON.stringify({
      clients: [
        client({
          grant_types: ['client_credentials'],
          scope: 'b a b',
          audience: 'x',
          claims: { n: 1 },
        }),
      ],
    }).replace('"n":1', '"n":9007199254740993');
    const shop = parseClients(`\uFEFF${text}`, 'f').get('shop');
    expect(shop).toMatchObject({
      id: 'shop',
      method: 'client_secret_basic',
      scopes: ['b', 'a'],
      audience: ['x'],
    });
    expect(JSON.stringify(shop?.claims)).toBe('{"n":9007199254740993}');
    expect(shop?.secretHash).toEqual(createHash('sha256').update(SECRET).digest());
  });

  it.each([
    ['', 'f: not valid JSON'],
    [`{"clients":[{"client_secret":"${SECRET}"`, 'f: not valid JSON'],
    ['[]', "f: not an object with a list 'clients'"],
    ['{"clients":{}}', "f: not an object with a list 'clients'"],
    ['{"clients":[],"client":[]}', "f: 'client' is unknown"],
    ['{"clients":[],"clients":[]}', 'f: an object names a member twice'],
    [
      '{"clients":[{"client_id":"a","grant_types":[],"client_id":"b"}]}',
      'f: an object names a member twice',
    ],
  ])('%j is refused', (text, problem) => {
    expect(problemsIn(() => parseClients(text, 'f'))).toEqual([problem]);
  });
});

describe('secrets', () => {
  it('have 256 random bits, and are known by their hash', () => {
    const [one, other] = [newClientSecret(), newClientSecret()];
    expect(Buffer.from(one, 'base64url')).toHaveLength(32);
    expect(one).not.toBe(other);
    const kept = Buffer.from(clientSecretHash(one), 'base64url');
    expect(isClientSecret(kept, one)).toBe(true);
    expect(isClientSecret(kept, other)).toBe(false);
    expect(isClientSecret(kept, '')).toBe(false);
    expect(isClientSecret(undefined, one)).toBe(false);
  });
});
