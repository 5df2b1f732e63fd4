import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { BootError, TokenRefusedError } from '../core/errors/index.js';
import { addBackendHeaders, withholdHeaders, GatewayException } from '../http/index.js';
import { TokenRefusedException } from './auth.exceptions.js';
import {
  bearerToken,
  tokenMissing,
  claimsToHeaders,
  type BearerToken,
  type TokenPolicy,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { DpopProofs } from './dpop-proofs.service.js';
import { JwtVerifier } from './jwt-verifier.service.js';
import { ProtectedRoutes } from './protected-routes.service.js';
import { RequestHolder } from './request-holder.js';
import { setVerified, verifiedBy } from './verified-request.js';

/** Verifies the token of a request to a route with `@RequireJwt`. */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly routes: ProtectedRoutes;
  private readonly verifier: JwtVerifier;

  constructor(
    @Optional() routes?: ProtectedRoutes,
    @Optional() verifier?: JwtVerifier,
    @Optional() private readonly proofs?: DpopProofs,
  ) {
    if (routes === undefined || verifier === undefined)
      throw new BootError(
        '@RequireJwt needs AuthModule: add AuthModule.forRoot(…) to the imports of your root module',
      );
    this.routes = routes;
    this.verifier = verifier;
  }

  /** @throws as {@link admit} */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const policy = this.routes.policy(context.getHandler(), context.getClass());
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage>();
    // A decorated method of a decorated class has the guard twice.
    if (verifiedBy(request) === policy) return true;
    await this.admit(request, http.getResponse<ServerResponse>(), policy);
    return true;
  }

  /**
   * Verifies the token of a request; for a handler that decides by itself what it asks for.
   *
   * @throws TokenRefusedException 400, 401 or 403 as in RFC 6750 section 3.1, RFC 9449 section 7.1 and RFC 9470
   * @throws CsrfRefusedException 403 for a state-changing request by cookie that another site may have caused
   */
  async admit(
    request: IncomingMessage,
    response: ServerResponse,
    policy: TokenPolicy,
  ): Promise<void> {
    let presented: BearerToken | undefined;
    try {
      presented = bearerToken(request, policy);
      if (presented?.scheme === 'DPoP') await this.proofs?.offerNonce(response);
      setVerified(request, policy, await this.verify(request, presented, policy));
    } catch (error) {
      const refusal =
        error instanceof TokenRefusedError
          ? new TokenRefusedException(
              error,
              policy,
              presented?.scheme,
              this.routes.resourceMetadata(request),
            )
          : error;
      // Set here, because Nest's own exception filter sends no headers.
      if (refusal instanceof GatewayException) setHeaders(response, refusal);
      throw refusal;
    }
    // No backend gets the token, whatever headers are forwarded.
    withholdHeaders(request, policy.credentialHeaders);
  }

  private async verify(
    request: IncomingMessage,
    presented: BearerToken | undefined,
    policy: TokenPolicy,
  ): Promise<VerifiedClaims | undefined> {
    if (presented === undefined) {
      if (policy.optional) return undefined;
      throw tokenMissing(request, policy);
    }
    const { token, source, scheme } = presented;
    if (source === 'cookie') this.routes.assertSameOrigin(request);
    const holder = new RequestHolder(request, scheme, this.routes);
    const claims = await this.verifier.verify(token, policy, holder);
    const { claimHeaders } = policy;
    if (claimHeaders.length > 0) addBackendHeaders(request, claimsToHeaders(claims, claimHeaders));
    return claims;
  }
}

function setHeaders(response: ServerResponse, { details }: GatewayException): void {
  for (const [name, value] of Object.entries(details.headers ?? {}))
    response.setHeader(name, value);
}
