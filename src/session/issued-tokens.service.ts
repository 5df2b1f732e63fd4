import { Inject, Injectable } from '@nestjs/common';
import {
  foreignIssuerOf,
  varyPolicy,
  type TokenHolder,
  type TokenPolicy,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { normalizeType } from '../core/claims/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { parseCompact } from '../core/jws/index.js';
import { revocationSubject, tokenId, type RevocationSubject } from '../core/revocation/index.js';
import { SESSION_OPTIONS, type SessionModuleOptions } from './session.module-definition.js';

/** A verified token that stands for itself: presented in a body, not to get through a guard. */
export interface PresentedToken {
  kind: 'access' | 'refresh';
  claims: VerifiedClaims;
  /** Unique; the `jti` claim where there is one. */
  id: string;
  /** What it can be revoked by. */
  subject: RevocationSubject;
}

/** Recognizes the tokens that the gateway accepts or issued, wherever they are presented. */
@Injectable()
export class IssuedTokens {
  private readonly refreshType: string;
  private readonly access: TokenPolicy;
  private readonly refresh: TokenPolicy;

  constructor(
    @Inject(SESSION_OPTIONS) options: SessionModuleOptions,
    private readonly verifier: JwtVerifier,
    routes: ProtectedRoutes,
    keys: JwkKeyStore,
  ) {
    this.refreshType = normalizeType(options.refreshTyp);
    // A token can be taken back whatever its audience is, and by whoever has it (RFC 7009).
    const anybody = { anyAudience: true, anyHolder: true, requiredClaims: [] } as const;
    this.access = varyPolicy(routes.defaults(), anybody);
    this.refresh = {
      ...this.access,
      perIssuer: undefined,
      unlistedIssuer: undefined,
      foreignIssuers: new Set(),
      algorithms: new Set([options.alg]),
      issuers: new Set([...this.access.issuers, options.issuer]),
      types: new Set([this.refreshType]),
      // Those of clients with a secret need no proof (RFC 9449 section 5).
      dpop: this.access.dpop !== false,
      keySource: keys.signingSource,
    };
  }

  /**
   * @param holder who presents it. Left out: nobody, so that a bound token is refused
   * @throws TokenRefusedError for anything but a valid refresh token of this gateway
   */
  verifyRefresh(token: string, holder?: TokenHolder): Promise<PresentedToken> {
    return this.verify(token, 'refresh', { ...this.refresh, anyHolder: false }, holder);
  }

  /**
   * Access or refresh token, valid as far as signature, issuer, times and revocation go.
   *
   * @param age `any`: tokens that have expired count as well
   * @returns `undefined` for everything else
   */
  async recognize(token: string, age: 'live' | 'any'): Promise<PresentedToken | undefined> {
    try {
      const { typ = 'JWT' } = parseCompact(token, this.access.maxTokenLength).header;
      const kind = normalizeType(typ) === this.refreshType ? 'refresh' : 'access';
      const policy = this[kind];
      return await this.verify(
        token,
        kind,
        age === 'any' ? varyPolicy(policy, { anyAge: true }) : policy,
      );
    } catch (error) {
      if (error instanceof TokenRefusedError) return undefined;
      throw error;
    }
  }

  private async verify(
    token: string,
    kind: PresentedToken['kind'],
    policy: TokenPolicy,
    holder?: TokenHolder,
  ): Promise<PresentedToken> {
    const claims = await this.verifier.verify(token, policy, holder);
    const { header, signingInput } = parseCompact(token, policy.maxTokenLength);
    const names = {
      issuer: foreignIssuerOf(policy, claims.iss),
      kid: header.kid,
      claims,
      signingInput,
    };
    return { kind, claims, id: tokenId(names), subject: revocationSubject(names) };
  }
}
