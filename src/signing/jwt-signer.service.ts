import { Inject, Injectable, Optional } from '@nestjs/common';
import { toNumber } from '../core/json/index.js';
import { signToken, type ClaimSet, type TokenFormat } from '../core/sign/index.js';
import { JwkKeyStore, requiredKeys } from '../jwks/index.js';
import { nowSeconds } from '../core/time/index.js';
import { Revocations } from '../state/index.js';
import { RepeatedIds } from './repeated-ids.js';
import { SigningEvents } from './signing-events.service.js';

/** Makes signed tokens with the keys of {@link JwkKeyStore} (RFC 7515 sections 3.1 and 7.2.2). */
@Injectable()
export class JwtSigner {
  private readonly ids = new RepeatedIds();
  private readonly keys: JwkKeyStore;

  constructor(
    @Optional() @Inject(JwkKeyStore) keys: JwkKeyStore | undefined,
    private readonly events: SigningEvents,
    @Optional() private readonly revocations?: Revocations,
  ) {
    this.keys = requiredKeys(keys, 'SigningModule');
  }

  /** The time to stamp, in seconds since 1970: never ahead of the state store's clock, which decides about revocations. */
  now(): number {
    return this.revocations?.issueTime() ?? nowSeconds();
  }

  /**
   * Signs a claim set as it is; completing it is not done here. Where `StateModule` is imported, the
   * token's `exp` is noted, so that a revocation is kept for as long as the token lives.
   *
   * @returns the compact JWS, or flattened JWS JSON with `format.full`
   * @throws KeyError when the key is not there or does not fit
   * @throws KeysUnavailableException while a remote set has not arrived
   */
  sign(claims: ClaimSet, format: TokenFormat): string | Promise<string> {
    const key = this.keys.signingKey(format.alg, format.kid);
    const token = signToken(claims, key, format);
    this.ids.look(claims.jti);
    const told = (signed: string): string => {
      this.revocations?.noteExpiry(toNumber(claims.exp) ?? 0);
      this.events.tell({ alg: format.alg, kid: key.kid, typ: format.typ, exp: claims.exp });
      return signed;
    };
    return typeof token === 'string' ? told(token) : token.then(told);
  }
}
