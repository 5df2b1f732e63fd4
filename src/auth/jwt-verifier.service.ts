import { Injectable, Optional } from '@nestjs/common';
import { toNumber } from '../core/json/json.js';
import { JwkKeyStore } from '../jwks/index.js';
import {
  parseCompact,
  type CompactJws,
  type JwsAlgorithm,
  type JwsKey,
} from '../core/jws/index.js';
import { Revocations, type TokenNames } from '../state/index.js';
import { checkAccess, checkClaims } from '../core/verify/claim-checks.js';
import type { TokenPolicy } from '../core/verify/token-policy.js';
import { SignatureCache } from '../core/verify/signature-cache.js';
import {
  allowedAlgorithm,
  allowedType,
  assertFits,
  assertNotRevoked,
  assertProfile,
  assertSigned,
  parseClaims,
} from '../core/verify/token-checks.js';
import type { VerifiedClaims } from '../core/verify/verified-claims.js';

/** Verifies tokens (RFC 7519 section 7.2, RFC 8725): format, algorithm, key, signature, type, claims, revocation, roles and scopes, in this order. */
@Injectable()
export class JwtVerifier {
  constructor(
    private readonly keys: JwkKeyStore,
    @Optional() private readonly revocations?: Revocations,
    @Optional() private readonly signatures?: SignatureCache,
  ) {}

  /**
   * @param token compact JWS
   * @returns the claims of a token that fulfils `policy`
   * @throws TokenRefusedError with the code of the first check that fails
   * @throws KeysUnavailableException while there are no keys to check with
   * @throws StateUnavailableException when revocations cannot be known
   */
  async verify<Claims extends object = object>(
    token: string,
    policy: TokenPolicy,
  ): Promise<VerifiedClaims<Claims>> {
    const jws = parseCompact(token);
    const { header, signingInput } = jws;
    const alg = allowedAlgorithm(header, policy);
    const key =
      this.keys.verificationKey(header, policy.keySource) ??
      (await this.keys.awaitVerificationKey(header, policy.keySource));
    assertFits(key, header, alg);
    // HMAC costs less than looking it up.
    const verdict =
      key.kty === 'oct' || this.signatures === undefined
        ? assertSigned(jws, alg, key)
        : this.assertSignedOnce(token, jws, alg, key, this.signatures);
    if (verdict !== undefined) await verdict;

    const type = allowedType(header, policy);
    const claims = parseClaims(jws.payload);
    assertProfile(type, claims);
    checkClaims(claims, policy, Math.floor(Date.now() / 1000));
    this.checkRevocation({ kid: key.kid, claims, signingInput });
    if (policy.checkClaimsClass !== undefined) await policy.checkClaimsClass(claims);
    // Last: a token that is not accepted is a 401, whatever it would allow.
    checkAccess(claims, policy);
    return claims as VerifiedClaims<Claims>;
  }

  private async assertSignedOnce(
    token: string,
    jws: CompactJws,
    alg: JwsAlgorithm,
    key: JwsKey,
    known: SignatureCache,
  ): Promise<void> {
    const id = known.idOf(token);
    if (known.has(id, key)) return;
    await assertSigned(jws, alg, key);
    known.add(id, key);
  }

  private checkRevocation(token: TokenNames): void {
    if (this.revocations === undefined) return;
    this.revocations.noteExpiry(toNumber(token.claims.exp) ?? 0);
    assertNotRevoked(this.revocations, token);
  }
}
