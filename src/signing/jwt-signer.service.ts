import { Inject, Injectable, Optional } from '@nestjs/common';
import { toNumber } from '../core/json/index.js';
import { signToken, type ClaimSet, type TokenFormat } from '../core/sign/index.js';
import { JwkKeyStore, requiredKeys } from '../jwks/index.js';
import { nowSeconds } from '../core/time/index.js';
import { Revocations } from '../state/index.js';
import { RepeatedIds } from './repeated-ids.js';
import { SigningEvents } from './signing-events.service.js';

/** Signs tokens with the keys of {@link JwkKeyStore} (RFC 7515 sections 3.1 and 7.2.2). */
@Injectable()
export class JwtSigner {
  private readonly repeatedIds = new RepeatedIds();
  private readonly keys: JwkKeyStore;

  constructor(
    @Optional() @Inject(JwkKeyStore) keys: JwkKeyStore | undefined,
    private readonly events: SigningEvents,
    @Optional() private readonly revocations?: Revocations,
  ) {
    this.keys = requiredKeys(keys, 'SigningModule');
  }

  /**
   * The time for `iat`, in seconds since 1970. It is never ahead of the clock of the state store, which decides which
   * tokens a revocation covers.
   */
  now(): number {
    return this.revocations?.issueTime() ?? nowSeconds();
  }

  /**
   * Signs a claim set as it is: no claim is added. With `StateModule` the token's `exp` is recorded, so that a
   * revocation is kept for as long as the token is valid.
   *
   * @param format algorithm, key and `typ` of the token
   * @returns the compact JWS; with `format.full` the flattened JWS JSON. It is a promise where the algorithm is
   * asymmetric
   * @throws KeyError when the key does not exist or does not fit the algorithm
   * @throws SigningError `token_too_large` when the token would be longer than `format.maxLength`
   * @throws KeysUnavailableException while the remote key set has not been loaded
   */
  sign(claims: ClaimSet, format: TokenFormat): string | Promise<string> {
    const key = this.keys.signingKey(format.alg, format.kid);
    const token = signToken(claims, key, format);
    this.repeatedIds.look(claims.jti);
    const announce = (signed: string): string => {
      this.revocations?.noteExpiry(toNumber(claims.exp) ?? 0);
      this.events.tell({ alg: format.alg, kid: key.kid, typ: format.typ, exp: claims.exp });
      return signed;
    };
    return typeof token === 'string' ? announce(token) : token.then(announce);
  }
}
