import { Injectable, Module } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import type { VerifiedClaims } from '../core/verify/index.js';

/** Whose request a backend call is made for, as far as a token was verified. */
export interface HopUser {
  /** The token that was presented. */
  readonly token: string;
  readonly claims: VerifiedClaims;
  /** Claim with the scopes of the token. */
  readonly scopesKey: string;
}

/** What a token for a backend holds. */
export interface HopTokenRequest {
  /** For whom it is. */
  readonly audience: string;
  /** Seconds for which it counts, at most. */
  readonly ttl: number;
  /** Names of claims that are copied. */
  readonly claims: readonly string[];
  /** Scopes that it may hold. */
  readonly scopes: readonly string[];
}

/** Makes tokens for backends. */
export interface HopTokenMaker {
  /** @throws BootError where its options cannot make any */
  assertUsable(): void;
  /**
   * @param request the same object for the same kind of call: by it tokens are remembered
   * @param user `undefined` for a call that is made for nobody
   */
  make(request: HopTokenRequest, user: HopUser | undefined): string | Promise<string>;
}

/** Where backend calls find who makes their tokens: modules that sign are above those that call. */
@Injectable()
export class HopTokens {
  private maker: HopTokenMaker | undefined = undefined;

  use(maker: HopTokenMaker): void {
    this.maker = maker;
  }

  /** @throws BootError where nobody makes them */
  require(): HopTokenMaker {
    if (this.maker === undefined)
      throw new BootError(
        "'hop' needs SigningModule: add SigningModule.forRoot(…) to the imports of your root module",
      );
    this.maker.assertUsable();
    return this.maker;
  }
}

/** One {@link HopTokens} for the whole application, whoever imports it. */
@Module({ providers: [HopTokens], exports: [HopTokens] })
export class HopTokensModule {}
