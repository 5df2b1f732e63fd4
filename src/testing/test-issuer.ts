import { randomUUID, type JsonWebKey } from 'node:crypto';
import type { AuthModuleOptions } from '../auth/index.js';
import { generateJwk, importJwk, type KeyProvider } from '../core/keys/index.js';
import type { JwksModuleOptions } from '../jwks/index.js';
import { signInput, type JwsAlgorithm } from '../core/jws/index.js';
import { nowSeconds } from '../core/time/index.js';

/** What a test issuer is called, and how it signs. */
export interface TestIssuerOptions {
  /** Default `ES256`. */
  alg?: JwsAlgorithm;
  /** Default: a fresh one, so that no two issuers share a key id. */
  kid?: string;
  /** `iss` of its tokens. Default `https://issuer.test`. */
  issuer?: string;
  /** `aud` of its tokens. Default `https://api.test`. */
  audience?: string;
}

/** Members of the token's header to change; `undefined` leaves one out. */
export type TestHeader = Readonly<Record<string, unknown>>;

/** An issuer with keys of its own, which exist nowhere else. */
export interface TestIssuer {
  readonly alg: JwsAlgorithm;
  readonly kid: string;
  readonly issuer: string;
  readonly audience: string;
  /** Its JWK Set with private parts, e.g. to write a key file for a gateway in another process. */
  readonly jwks: { readonly keys: readonly JsonWebKey[] };
  /** For `JwksModule.forRoot`: the application under test signs and verifies with these keys. */
  readonly jwksOptions: JwksModuleOptions;
  /** For `AuthModule.forRoot`: it accepts the tokens of this issuer. */
  readonly authOptions: AuthModuleOptions;
  /**
   * A token that the application under test accepts, good for five minutes.
   *
   * @param claims added to `iss`, `aud`, `sub`, `iat`, `exp` and `jti`, or put in their place;
   * `undefined` leaves one out, which is how refusals are tested
   */
  sign(claims?: Readonly<Record<string, unknown>>, header?: TestHeader): Promise<string>;
}

const TTL_SECONDS = 300;
/** Half as long to generate as what a gateway gets. */
const RSA_BITS = 2048;

/**
 * Makes an issuer for tests, with a fresh key.
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

/** A key set that is neither in a file nor on the network. */
const inMemory = (text: string): KeyProvider => ({
  source: 'of the test issuer',
  remote: false,
  publicOnly: false,
  read: async () => ({ text }),
  watch: () => () => undefined,
});
