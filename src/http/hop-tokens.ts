import { Injectable, Module } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import type { VerifiedClaims } from '../core/verify/index.js';

/** The user for whom a backend call is made: the verified token of the request. */
export interface HopUser {
  /** The token of the request. */
  readonly token: string;
  readonly claims: VerifiedClaims;
  /** Claim with the scopes of the token. */
  readonly scopesKey: string;
}

/** What a token for a backend contains. */
export interface HopTokenRequest {
  /** Claim `aud`. */
  readonly audience: string;
  /** Longest lifetime in seconds. */
  readonly ttl: number;
  /** Names of the claims that are copied from the verified token. */
  readonly claims: readonly string[];
  /** Scopes that are copied if the verified token has them. */
  readonly scopes: readonly string[];
}

/** Makes the tokens that backend calls carry. */
export interface HopTokenMaker {
  /** @throws BootError where its options do not allow such tokens */
  assertUsable(): void;
  /**
   * @param request the token is cached by this object, so use the same object for equal calls
   * @param user `undefined` for a call without a user
   */
  make(request: HopTokenRequest, user: HopUser | undefined): string | Promise<string>;
}

/** Gives backend calls the {@link HopTokenMaker}. `SigningModule` registers it, since `backend/` cannot import it. */
@Injectable()
export class HopTokens {
  private maker: HopTokenMaker | undefined = undefined;

  use(maker: HopTokenMaker): void {
    this.maker = maker;
  }

  /** @throws BootError without `SigningModule` */
  require(): HopTokenMaker {
    if (this.maker === undefined)
      throw new BootError(
        "'hop' needs SigningModule: add SigningModule.forRoot(…) to the imports of your root module",
      );
    this.maker.assertUsable();
    return this.maker;
  }
}

/** Provides {@link HopTokens}. Nest creates one for the whole application. */
@Module({ providers: [HopTokens], exports: [HopTokens] })
export class HopTokensModule {}
