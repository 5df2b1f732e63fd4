import { Inject, Injectable, Optional } from '@nestjs/common';
import {
  refusalOfTimes,
  foreignIssuerOf,
  parseClaims,
  parseToken,
  varyPolicy,
  type TokenHolder,
  type TokenPolicy,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { STANDARD_SIGNING } from '../core/sign/index.js';
import { normalizeType } from '../core/claims/index.js';
import { toNumber } from '../core/json/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { JWS_ALGORITHMS } from '../core/jws/index.js';
import {
  deadFrom,
  revocationSubject,
  sessionName,
  tokenDigest,
  type RevocationSubject,
} from '../core/revocation/index.js';
import { Revocations } from '../state/index.js';
import { SIGNING_OPTIONS, type SigningModuleOptions } from '../signing/index.js';
import { SESSION_OPTIONS, type SessionModuleOptions } from './session.module-definition.js';

/** A verified token that a request is about, e.g. to refresh or revoke it; it need not give access to a route. */
export interface PresentedToken {
  kind: 'access' | 'refresh' | 'other';
  claims: VerifiedClaims;
  /** The issuer, if it is not our own. */
  issuer: string | undefined;
  /** Identifies this token only; see `tokenDigest`. */
  digest: string;
  /** The name by which its session is revoked (see `sessionName`); `digest` for a token without a session. */
  session: string;
  /** The names by which it can be revoked. */
  subject: RevocationSubject;
  /** From this time on (seconds since 1970) no validator accepts it. */
  deadFrom: number;
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
    private readonly revocations: Revocations,
    @Optional() @Inject(SIGNING_OPTIONS) signing?: SigningModuleOptions,
  ) {
    const alg = options.alg ?? signing?.alg ?? STANDARD_SIGNING.alg;
    const issuer = options.issuer ?? signing?.issuer;
    this.refreshType = normalizeType(
      options.refreshTyp ?? signing?.refreshTyp ?? STANDARD_SIGNING.refreshTyp,
    );
    // A token can be revoked whatever its audience is, and by any holder (RFC 7009).
    const anybody = { anyAudience: true, anyHolder: true, requiredClaims: [] } as const;
    this.access = varyPolicy(routes.defaults(), anybody);
    this.refresh = {
      ...this.access,
      // The header tells that it is a refresh token. Claims that name a kind are not checked.
      kinds: 'any',
      perIssuer: undefined,
      unlistedIssuer: undefined,
      foreignIssuers: new Set(),
      algorithms: new Set([alg]),
      issuers: new Set([...this.access.issuers, ...[issuer ?? []].flat()]),
      types: new Set([this.refreshType]),
      // Other issuers are not asked about own tokens.
      introspection: undefined,
      jwtIntrospection: undefined,
      // `required` becomes true: refresh tokens of confidential clients need no proof (RFC 9449 section 5).
      dpop: this.access.dpop !== false,
      keySource: keys.signingSource,
    };
  }

  /**
   * @param holder the holder that presents the token. Without one, a bound token is refused
   * @throws TokenRefusedError for anything but a valid refresh token of this gateway
   */
  verifyRefresh(token: string, holder?: TokenHolder): Promise<PresentedToken> {
    return this.verify(token, 'refresh', { ...this.refresh, anyHolder: false }, holder);
  }

  /**
   * Verifies signature, issuer, times and revocation of an access or refresh token.
   *
   * @param age `any`: expired tokens are accepted as well
   * @throws TokenRefusedError for any other token
   */
  async identify(token: string, age: 'live' | 'any'): Promise<PresentedToken> {
    const { typ = 'JWT' } = parseToken(token, this.access).header;
    const kind = normalizeType(typ) === this.refreshType ? 'refresh' : 'access';
    const policy = this[kind];
    return this.verify(token, kind, age === 'any' ? varyPolicy(policy, { anyAge: true }) : policy);
  }

  /** Like {@link identify}. @returns `undefined` for a token that is not ours */
  recognize(token: string, age: 'live' | 'any'): Promise<PresentedToken | undefined> {
    return unlessRefused(this.identify(token, age));
  }

  /**
   * Recognizes a token to revoke: every token that was signed here, whatever its type, algorithm and issuer, and every
   * token that is accepted here. Expired tokens count as well.
   *
   * @returns `undefined` for any other token, and for one that is revoked already
   */
  async recognizeAnyType(token: string): Promise<PresentedToken | undefined> {
    return (await unlessRefused(this.signedHere(token))) ?? (await this.recognize(token, 'any'));
  }

  private async signedHere(token: string): Promise<PresentedToken> {
    const { header, payload } = parseToken(token, this.access);
    const { iss } = parseClaims(payload);
    const type = normalizeType(header.typ ?? 'JWT');
    const kind =
      type === this.refreshType ? 'refresh' : this.access.types.has(type) ? 'access' : 'other';
    return this.verify(token, kind, {
      ...this.refresh,
      anyAge: true,
      algorithms: new Set(JWS_ALGORITHMS),
      types: new Set([type]),
      issuers: new Set(typeof iss === 'string' ? [iss] : []),
      profiled: false,
    });
  }

  private async verify(
    token: string,
    kind: PresentedToken['kind'],
    policy: TokenPolicy,
    holder?: TokenHolder,
  ): Promise<PresentedToken> {
    const claims = await this.verifyTimes(token, kind, policy, holder);
    const { header, signingInput } = parseToken(token, policy);
    const issuer = foreignIssuerOf(policy, claims.iss);
    const names = { issuer, kid: header.kid, claims, signingInput };
    const digest = tokenDigest(names);
    return {
      kind,
      claims,
      issuer,
      digest,
      session: sessionName(names) ?? digest,
      subject: revocationSubject(names),
      deadFrom: deadFrom(toNumber(claims.exp)),
    };
  }

  /**
   * Checks the times of a refresh token by the clock that all gateways share: a wrong clock of one gateway must not end
   * a session.
   */
  private async verifyTimes(
    token: string,
    kind: PresentedToken['kind'],
    policy: TokenPolicy,
    holder: TokenHolder | undefined,
  ): Promise<VerifiedClaims> {
    if (kind !== 'refresh') return this.verifier.verify(token, policy, holder);
    const claims = await this.verifier.verify(token, { ...policy, anyAge: true }, holder);
    const { now, latest } = this.revocations;
    const refusal = refusalOfTimes(claims, policy, Math.floor(now), Math.floor(latest));
    if (refusal !== undefined) throw refusal;
    return claims;
  }
}

async function unlessRefused(token: Promise<PresentedToken>): Promise<PresentedToken | undefined> {
  try {
    return await token;
  } catch (error) {
    if (error instanceof TokenRefusedError) return undefined;
    throw error;
  }
}
