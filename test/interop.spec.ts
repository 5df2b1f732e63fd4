// Tokens and key sets that the libraries of others wrote; test/fixtures/interop/make/make.sh makes them.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../src/core/errors/index.js';
import { JWS_ALGORITHMS, type JwsAlgorithm } from '../src/core/jws/index.js';
import { KeySet } from '../src/core/keys/index.js';
import { compilePolicy, verifyToken } from '../src/core/verify/index.js';

/** What a library made. */
interface Vectors {
  library: string;
  version: string;
  /** `YYYY-MM-DD` */
  date: string;
  keySet: { keys: { kid: string }[] };
  /** `secret`: the UTF-8 text that an HMAC token is made with. */
  tokens: { alg: JwsAlgorithm; token: string; secret?: string }[];
}

const FOLDER = 'test/fixtures/interop';
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const { claims } = readJson(`${FOLDER}/make/input.json`) as { claims: Record<string, unknown> };
const LIBRARIES = globSync(`${FOLDER}/*.json`)
  .toSorted()
  .map((path) => readJson(path) as Vectors);

/** What is not in the vectors because the library does not know it; ML-DSA and Ed25519 are named below. */
const LACKS: Readonly<Record<string, readonly string[]>> = {
  jsonwebtoken: ['EdDSA'],
  'jsonwebtoken (Rust)': ['ES512'],
};
const KNOWS_ED25519 = ['jose', 'joserfc', 'nimbus-jose-jwt'];
const KNOWS_ML_DSA = ['jose'];

it('there are vectors of each library', () => {
  expect(LIBRARIES.map(({ library }) => library)).toEqual([
    'Authlib',
    'fast-jwt',
    'go-jose',
    'golang-jwt',
    'jjwt',
    'jose',
    'joserfc',
    'jsonwebtoken',
    'nimbus-jose-jwt',
    'PyJWT',
    'jsonwebtoken (Rust)',
  ]);
  for (const { version, date } of LIBRARIES)
    expect([version, date]).toEqual([
      expect.stringMatching(/^v?\d+\.\d+\.\d+$|^\d+\.\d+$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    ]);
});

describe.each(LIBRARIES.map((vectors) => [vectors.library, vectors] as const))(
  '%s',
  (library, { keySet, tokens }) => {
    const published = KeySet.parse(JSON.stringify(keySet), library, true);

    it('publishes keys that can all be used', () => {
      expect(published.skipped).toEqual([]);
      expect(published.all().map(({ kid }) => kid)).toEqual(keySet.keys.map(({ kid }) => kid));
    });

    it('has a token of each algorithm that it knows', () => {
      const lacking = JWS_ALGORITHMS.filter(
        (alg) =>
          LACKS[library]?.includes(alg) === true ||
          (alg === 'Ed25519' && !KNOWS_ED25519.includes(library)) ||
          (alg.startsWith('ML-DSA') && !KNOWS_ML_DSA.includes(library)),
      );
      expect(new Set([...tokens.map(({ alg }) => alg), ...lacking])).toEqual(
        new Set(JWS_ALGORITHMS),
      );
      expect(tokens).toHaveLength(JWS_ALGORITHMS.length - lacking.length);
    });

    describe.each(tokens.map((vector) => [vector.alg, vector] as const))(
      '%s',
      (alg, { token, secret }) => {
        const set = secret === undefined ? published : secretSet(secret);
        const verify = (presented: string) => verifyWith(set, alg, presented);

        it('is accepted', async () => {
          expect(await verify(token)).toEqual(claims);
        });

        it.each([
          ['header', 0],
          ['payload', 1],
          ['signature', 2],
        ])('is refused with another character in the %s', async (_name, part) => {
          for (const altered of alterations(token, part))
            await expect(verify(altered)).rejects.toThrow(TokenRefusedError);
        });

        it('is refused by the keys of another library', async () => {
          const other = LIBRARIES.find((vectors) => vectors.library !== library) as Vectors;
          const others = KeySet.parse(JSON.stringify(other.keySet), other.library, true);
          await expect(verifyWith(others, alg, token)).rejects.toThrow(TokenRefusedError);
        });
      },
    );
  },
);

function verifyWith(set: KeySet, alg: JwsAlgorithm, token: string): Promise<unknown> {
  const policy = compilePolicy(
    { roles: ['reader', 'Ärztin'], rolesMatcher: 'all', requiredClaims: ['sub', 'jti', 'iat'] },
    { algorithms: [alg], issuer: String(claims.iss), audience: 'https://api.example.com' },
  );
  return verifyToken(token, policy, {
    keys: {
      verificationKeys: (names) => set.verifiers(names, 'kid', 0),
      awaitVerificationKeys: () => Promise.resolve([]),
    },
  });
}

const secretSet = (secret: string): KeySet =>
  KeySet.parse(
    JSON.stringify({ kty: 'oct', kid: 'hmac', k: Buffer.from(secret).toString('base64url') }),
    'secret',
  );

/** The token with its first, middle or last character of a part replaced, bit by bit of that character. */
function alterations(token: string, index: number): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const parts = token.split('.');
  const part = parts[index] ?? '';
  return [0, part.length >> 1, part.length - 1].flatMap((at) =>
    [1, 2, 4, 8, 16, 32].map((bit) => {
      const char = alphabet[alphabet.indexOf(part[at] ?? '') ^ bit] ?? '';
      return parts.with(index, part.slice(0, at) + char + part.slice(at + 1)).join('.');
    }),
  );
}
