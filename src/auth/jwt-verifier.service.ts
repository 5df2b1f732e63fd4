import { Injectable, Optional } from '@nestjs/common';
import {
  SignatureCache,
  verifyToken,
  type TokenPolicy,
  type Verification,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { Revocations } from '../state/index.js';

/** Verifies tokens with the application's keys and revocations. */
@Injectable()
export class JwtVerifier {
  private readonly verification: Verification;

  constructor(
    keys: JwkKeyStore,
    @Optional() revocations?: Revocations,
    @Optional() signatures?: SignatureCache,
  ) {
    this.verification = { keys, revocations, signatures };
  }

  /**
   * See `verifyToken` for the checks and their order.
   *
   * @param token compact JWS
   * @returns the claims of a token that fulfils `policy`
   * @throws TokenRefusedError with the code of the first check that fails
   * @throws KeysUnavailableException while there are no keys to check with
   * @throws StateUnavailableException when revocations cannot be known
   */
  verify<Claims extends object = object>(
    token: string,
    policy: TokenPolicy,
  ): Promise<VerifiedClaims<Claims>> {
    return verifyToken(token, policy, this.verification) as Promise<VerifiedClaims<Claims>>;
  }
}
