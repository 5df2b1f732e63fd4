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
   * See `verifyToken` for the checks and their order.
   *
   * @param token compact JWS, or a token to ask about
   * @param holder who presents it. Left out: nobody, so that a token is refused that is bound to its holder
   * @returns the claims of a token that fulfils `policy`
   * @throws TokenRefusedError with the code of the first check that fails
   * @throws KeysUnavailableException while there are no keys to check with
   * @throws IntrospectionUnavailableException while a token cannot be asked about
   * @throws StateUnavailableException when revocations cannot be known
   */
  verify<Claims extends object = object>(
    token: string,
    policy: TokenPolicy,
    holder?: TokenHolder,
  ): Promise<VerifiedClaims<Claims>> {
    return verifyToken(token, policy, this.verification, holder) as Promise<VerifiedClaims<Claims>>;
  }

  /**
   * The same with a refusal as a value, and without a promise where nothing is waited for.
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
