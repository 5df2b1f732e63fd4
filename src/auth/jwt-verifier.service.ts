import { Inject, Injectable, Optional } from '@nestjs/common';
import {
  SignatureCache,
  tokenVerdict,
  verifyToken,
  type TokenHolder,
  type TokenPolicy,
  type TokenVerdict,
  type Verification,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { IntrospectionEndpoints, JwkKeyStore, requiredKeys } from '../jwks/index.js';
import { Revocations, SuccessorUses } from '../state/index.js';
import { DpopProofs } from './possession/dpop-proofs.service.js';

/** Verifies tokens with the application's keys and revocations. */
@Injectable()
export class JwtVerifier {
  private readonly verification: Verification;

  constructor(
    @Optional() @Inject(JwkKeyStore) keys: JwkKeyStore | undefined,
    @Optional() revocations?: Revocations,
    @Optional() signatures?: SignatureCache,
    @Optional() proofs?: DpopProofs,
    @Optional() introspector?: IntrospectionEndpoints,
    @Optional() uses?: SuccessorUses,
  ) {
    const given = requiredKeys(keys, 'AuthModule');
    this.verification = { keys: given, revocations, signatures, proofs, introspector, uses };
  }

  /**
   * Verifies a token. See `verifyToken` for the checks and their order.
   *
   * @param token compact JWS, or a token for introspection (RFC 7662)
   * @param holder sender of the token. Without it, a token that is bound to its holder is refused
   * @returns the claims of a token that fulfils `policy`
   * @throws TokenRefusedError with the code of the first check that fails
   * @throws KeysUnavailableException while there are no keys
   * @throws IntrospectionUnavailableException while the introspection endpoint gives no answer
   * @throws StateUnavailableException when revocations cannot be read
   */
  verify<Claims extends object = object>(
    token: string,
    policy: TokenPolicy,
    holder?: TokenHolder,
  ): Promise<VerifiedClaims<Claims>> {
    return verifyToken(token, policy, this.verification, holder) as Promise<VerifiedClaims<Claims>>;
  }

  /**
   * Like {@link verify}, but returns a refusal instead of throwing it, and a promise only if a check is asynchronous.
   *
   * @internal
   */
  verdict(
    token: string,
    policy: TokenPolicy,
    holder?: TokenHolder,
  ): TokenVerdict | Promise<TokenVerdict> {
    return tokenVerdict(token, policy, this.verification, holder);
  }
}
