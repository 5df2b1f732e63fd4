import { randomUUID, type JsonWebKey } from 'node:crypto';
import type { AuthModuleOptions } from '../auth/index.js';
import { generateJwk, importJwk, type KeyProvider } from '../core/keys/index.js';
import type { JwksModuleOptions } from '../jwks/index.js';
import { signInput, type JwsAlgorithm } from '../core/jws/index.js';
import { nowSeconds } from '../core/time/index.js';

/** Options of {@link createTestIssuer}. */
export interface TestIssuerOptions {
  /** Algorithm (RFC 7518 section 3.1). Default `ES256`. */
  alg?: JwsAlgorithm;
  /** Key id. Default: a random one. */
  kid?: string;
  /** Claim `iss` of the tokens. Default `https://issuer.test`. */
  issuer?: string;
  /** Claim `aud` of the tokens. Default `https://api.test`. */
  audience?: string;
}

/** Members of the token header to change; `undefined` removes a member. */
export type TestHeader = Readonly<Record<string, unknown>>;

/** An issuer for tests, with a key of its own. */
export interface TestIssuer {
  readonly alg: JwsAlgorithm;
  readonly kid: string;
  readonly issuer: string;
  readonly audience: string;
  /** The JWK Set with private members, e.g. for the key file of a gateway in another process. */
  readonly jwks: { readonly keys: readonly JsonWebKey[] };
  /** Options for `JwksModule.forRoot`: the application under test signs and verifies with this key. */
  readonly jwksOptions: JwksModuleOptions;
  /** Options for `AuthModule.forRoot`: the application under test accepts tokens of this issuer. */
  readonly authOptions: AuthModuleOptions;
  /**
   * Signs a token that the application under test accepts. It is valid for five minutes.
   *
   * @param claims claims that are added to `iss`, `aud`, `sub`, `iat`, `exp` and `jti`, or replace them. `undefined`
   * removes a claim, e.g. to test a refusal
   * @param header members of the header to change
   */
  sign(claims?: Readonly<Record<string, unknown>>, header?: TestHeader): Promise<string>;
}

const TTL_SECONDS = 300;
/** Smaller than the keys of a gateway, and faster to generate. */
const RSA_BITS = 2048;

/**
 * Creates an issuer for tests, with a new key in memory.
 *
 * @throws Error for an algorithm that this Node.js does not support
 *
 * @example
 * ```ts
 * const issuer = createTestIssuer();
 * // imports: [JwksModule.forRoot(issuer.jwksOptions), AuthModule.forRoot(issuer.authOptions)]
 * const token = await issuer.sign({ sub: '42', roles: ['clerk'] });
 * const expired = await issuer.sign({ exp: 0 });
 * ```
 */
export function createTestIssuer(options: TestIssuerOptions = {}): TestIssuer {
  const {
    alg = 'ES256',
    kid = `test-${randomUUID()}`,
    issuer = 'https://issuer.test',
    audience = 'https://api.test',
  } = options;
  const jwk = { ...generateJwk(alg, RSA_BITS), kid, alg, use: 'sig' };
  const imported = importJwk(jwk);
  if (typeof imported === 'string') throw new Error(imported);
  const jwks = { keys: [jwk] };
  return {
    alg,
    kid,
    issuer,
    audience,
    jwks,
    jwksOptions: { signing: inMemory(JSON.stringify(jwks)) },
    authOptions: { algorithms: [alg], issuer, audience },
    sign: async (claims = {}, header = {}) => {
      const now = nowSeconds();
      const registered = {
        iss: issuer,
        aud: audience,
        sub: 'test-user',
        iat: now,
        exp: now + TTL_SECONDS,
        jti: randomUUID(),
      };
      const input = `${encode({ alg, kid, typ: 'JWT', ...header })}.${encode({ ...registered, ...claims })}`;
      return `${input}.${await signInput(alg, imported.key, input)}`;
    },
  };
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A key set in memory. */
const inMemory = (text: string): KeyProvider => ({
  source: 'of the test issuer',
  remote: false,
  publicOnly: false,
  read: async () => ({ text }),
  watch: () => () => undefined,
});
