import { TokenRefusedError } from '../errors/index.js';
import { isJsonObject } from '../json/index.js';
import { nowSeconds } from '../time/index.js';
import { keyMismatch, useDpopProof, type ProofMemory } from './dpop-proof.js';
import type { TokenPolicy } from './policy-options.js';

type Claims = Readonly<Record<string, unknown>>;

/**
 * The client that presents a token: what the check of a bound token needs to know of its request. The methods are
 * called for bound tokens only.
 */
export interface TokenHolder {
  /** Scheme of the header with the token; `undefined` for a cookie, and for a header without a scheme. */
  readonly scheme: 'Bearer' | 'DPoP' | undefined;
  /** Method of the request. */
  readonly method: string;
  /** Returns the normalized URL that the client addressed; `undefined` if the request names no valid one. */
  url(): string | undefined;
  /** Returns the values of all `DPoP` header fields. */
  proofs(): readonly string[];
  /**
   * Set at a token endpoint, where the proof of the request was used already, since it names no token (RFC 9449
   * section 5). `key` is the SHA-256 thumbprint of the proof's key; `undefined`: the request had no proof.
   */
  readonly proven?: { readonly key: string | undefined };
  /**
   * Returns the SHA-256 thumbprint of the client's certificate in base64url (RFC 8705 section 3.1).
   *
   * @throws TokenRefusedError `claim_invalid` with the reason why there is no certificate
   */
  certificate(): string;
}

/** The supported members of `cnf`: RFC 9449 section 6.1 and RFC 8705 section 3.1. */
interface Confirmation {
  readonly jkt?: string;
  readonly 'x5t#S256'?: string;
}
const SUPPORTED_MEMBERS: ReadonlySet<string> = new Set(['jkt', 'x5t#S256']);
const SHA256_BASE64URL = /^[\w-]{43}$/;

/** True if {@link assertHolder} has something to check. For a bearer token, nothing more than this is computed. */
export const needsHolder = (
  claims: Claims,
  { dpop, anyHolder }: TokenPolicy,
  holder: TokenHolder | undefined,
): boolean =>
  !anyHolder && (Object.hasOwn(claims, 'cnf') || dpop === 'required' || holder?.scheme === 'DPoP');

/**
 * Checks that the client which presents a token is the one that the token is bound to (RFC 7800): by a proof of its
 * key (`cnf.jkt`, RFC 9449 section 7), by its certificate (`cnf.x5t#S256`, RFC 8705 section 3), or by both.
 *
 * @param holder `undefined`: every bound token is refused
 * @param memory `undefined`: proofs are not accepted
 * @throws TokenRefusedError `dpop_*`; `claim_invalid` for a `cnf` that is not supported or not fulfilled
 * @throws what `memory` throws while it cannot answer
 */
export async function assertHolder(
  token: string,
  claims: Claims,
  policy: TokenPolicy,
  holder: TokenHolder | undefined,
  memory: ProofMemory | undefined,
): Promise<void> {
  const { jkt, 'x5t#S256': certificate } = confirmationOf(claims);
  if (certificate !== undefined) assertCertificate(certificate, holder);
  if (jkt !== undefined) await assertProof(token, jkt, claims.iss, policy, holder, memory);
  else if (policy.dpop === 'required' || holder?.scheme === 'DPoP')
    throw new TokenRefusedError(
      'dpop_token_unbound',
      policy.dpop === 'required'
        ? 'the token is bound to no key (cnf.jkt), which is needed here: ask for it with a DPoP proof'
        : 'the token is bound to no key (cnf.jkt): send it as "Authorization: Bearer <token>"',
      { claim: 'cnf' },
    );
}

function confirmationOf(claims: Claims): Confirmation {
  if (!Object.hasOwn(claims, 'cnf')) return {};
  const { cnf } = claims;
  const names = isJsonObject(cnf) ? Object.keys(cnf) : [];
  // RFC 7800 section 3.1 allows to ignore unknown members, but that would make a bound token a bearer token.
  if (
    !isJsonObject(cnf) ||
    names.length === 0 ||
    !names.every((name) => SUPPORTED_MEMBERS.has(name)) ||
    !Object.values(cnf).every((value) => typeof value === 'string' && SHA256_BASE64URL.test(value))
  )
    throw new TokenRefusedError(
      'claim_invalid',
      "claim 'cnf' is not understood: expected an object with jkt, x5t#S256 or both, each a SHA-256 in base64url",
      { claim: 'cnf', expected: [...SUPPORTED_MEMBERS], actual: names },
    );
  return cnf;
}

function assertCertificate(expected: string, holder: TokenHolder | undefined): void {
  if (holder === undefined)
    throw new TokenRefusedError(
      'claim_invalid',
      `the token is bound to the client certificate ${expected} (cnf.x5t#S256) and counts only on a connection with it`,
      { claim: 'cnf', expected },
    );
  const actual = holder.certificate();
  if (actual !== expected)
    throw new TokenRefusedError(
      'claim_invalid',
      `the token is bound to the client certificate ${expected}, that of the connection is ${actual}`,
      { claim: 'cnf', expected, actual },
    );
}

async function assertProof(
  token: string,
  jkt: string,
  issuer: unknown,
  policy: TokenPolicy,
  holder: TokenHolder | undefined,
  memory: ProofMemory | undefined,
): Promise<void> {
  const { dpop, dpopAlgorithms: algorithms, dpopWindow, leeway } = policy;
  const needed = `the token is bound to the key ${jkt} (cnf.jkt): it counts only as "Authorization: DPoP <token>" with a proof of that key in the DPoP header`;
  if (dpop === false || (memory === undefined && holder !== undefined))
    throw new TokenRefusedError(
      'dpop_disabled',
      `${needed}, and proofs are not accepted here (the option dpop of AuthModule, which needs StateModule)`,
    );
  if (holder?.proven !== undefined) {
    assertProven(jkt, holder.proven.key);
    return;
  }
  if (holder === undefined || memory === undefined)
    throw new TokenRefusedError('dpop_proof_missing', needed);
  if (holder.scheme !== 'DPoP') throw new TokenRefusedError('dpop_scheme_needed', needed);
  await useDpopProof(
    holder.proofs(),
    {
      algorithms,
      method: holder.method,
      url: holder.url(),
      token,
      thumbprint: jkt,
      now: nowSeconds(),
      window: dpopWindow + leeway,
      issuer,
    },
    memory,
  );
}

function assertProven(jkt: string, key: string | undefined): void {
  if (key === undefined)
    throw new TokenRefusedError(
      'dpop_proof_missing',
      `the token is bound to the key ${jkt} (cnf.jkt): it counts only with a proof of that key in the DPoP header`,
      { claim: 'cnf', expected: jkt },
    );
  if (key !== jkt) throw keyMismatch(key, jkt);
}
