import { Inject, Injectable, Logger, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { varyPolicy } from '../core/verify/index.js';
import { ACCESS_TOKEN_CLAIMS } from '../core/claims/index.js';
import { KeyError } from '../core/keys/index.js';
import { JwkKeyStore, KeysUnavailableException } from '../jwks/index.js';
import { JwtSigner, SignedRoutes } from '../signing/index.js';
import { TokenController } from './token.controller.js';
import { StateUnavailableException } from '../state/index.js';

const SAMPLE_TTL_SECONDS = 60;
/** Failures that readiness reports: keys are not loaded yet, or the store is not complete. */
const NOT_YET = [KeyError, KeysUnavailableException, StateUnavailableException] as const;

/**
 * Signs a token and verifies it as a route with a bare `@RequireJwt` would. If it is refused, one log line says which
 * side uses which key. It is only a warning, since a gateway may sign tokens for other services and accept those of
 * another issuer.
 */
@Injectable()
export class SelfTest implements OnApplicationBootstrap {
  private readonly logger = new Logger(SelfTest.name);

  constructor(
    private readonly keys: JwkKeyStore,
    private readonly signer: JwtSigner,
    private readonly signedRoutes: SignedRoutes,
    @Optional() @Inject(JwtVerifier) private readonly verifier?: JwtVerifier,
    @Optional() @Inject(ProtectedRoutes) private readonly protectedRoutes?: ProtectedRoutes,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.verifier === undefined || this.protectedRoutes === undefined) return;
    // The handler is only looked up, never called.
    const handler = Object.getOwnPropertyDescriptor(TokenController.prototype, 'create');
    const { format, stamp } = this.signedRoutes
      .policy(handler?.value as CallableFunction)
      .field('access_token');
    if (format.full) return;
    // The sample has neither an audience nor claims of its own.
    const policy = varyPolicy(this.protectedRoutes.defaults(), {
      anyAudience: true,
      requiredClaims: [],
      jwtIntrospection: undefined,
    });
    const now = this.signer.now();
    const claims: Record<string, unknown> = {
      iss: stamp.issuer,
      iat: now,
      exp: now + SAMPLE_TTL_SECONDS,
    };
    for (const name of ACCESS_TOKEN_CLAIMS) claims[name] ??= 'self-test';
    try {
      const token = await this.signer.sign(claims, format);
      await this.verifier.verify(token, varyPolicy(policy, { anyHolder: true }));
    } catch (error) {
      const { signing, verification } = this.keys.describeSources();
      if (error instanceof TokenRefusedError)
        this.logger.warn(
          `Tokens that are signed here would be refused here (${error.code}: ${error.explanation}). ` +
            `The signer uses ${format.alg} with kid '${format.kid}' of ${signing}, ` +
            `the validator accepts ${[...policy.algorithms].join(', ')} with the keys of ${verification}.`,
        );
      else if (!NOT_YET.some((kind) => error instanceof kind)) throw error;
    }
  }
}
