import type { IncomingMessage } from 'node:http';
import { Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { BootError, TokenRefusedError } from '../core/errors/index.js';
import {
  addBackendHeaders,
  GatewayException,
  setResponseHeader,
  withholdHeaders,
} from '../http/index.js';
import { TokenRefusedException } from './auth.exceptions.js';
import {
  bearerToken,
  tokenMissing,
  claimsToHeaders,
  type BearerToken,
  type TokenPolicy,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { assertSameOrigin } from './assert-same-origin.js';
import { contextRefusal } from './context-refusal.js';
import {
  contextRequest,
  contextResponse,
  knownRequest,
  tokenCarrier,
  type ContextRequest,
} from './context-request.js';
import { DpopProofs } from './dpop-proofs.service.js';
import { JwtVerifier } from './jwt-verifier.service.js';
import { PROTECTS_ALL, ProtectedRoutes, type RouteProtection } from './protected-routes.service.js';
import { RequestHolder } from './request-holder.js';
import { closeAtExpiry } from './socket-expiry.js';
import { setVerified, verifiedBy } from './verified-request.js';

/**
 * Verifies the token of a request to a route with `@RequireJwt`, or, where it is used by itself (`APP_GUARD`,
 * `@UseGuards(AuthGuard)`), to any route without `@Public()`.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly routes: ProtectedRoutes;
  private readonly verifier: JwtVerifier;
  readonly [PROTECTS_ALL] = true;

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

  /**
   * The request whose token is verified, and on which `user` is set: by default that of Express or Fastify, for
   * GraphQL `req` or `reply.request` of its context, the client of a WebSocket, the context of a message.
   * Override it for other contexts.
   *
   * @returns a request with `headers` and `rawHeaders`, for contexts other than WebSockets and messages
   */
  protected getRequest(context: ExecutionContext): ContextRequest {
    return contextRequest(context);
  }

  /**
   * @throws TokenRefusedException 400, 401 or 403 as in RFC 6750 section 3.1 and RFC 9449 section 7.1
   * @throws CsrfRefusedException 403 for a state-changing request by cookie that another site may have caused
   * @throws GraphQLError, WsException or RpcException in place of both, in contexts of that kind
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const protection = this.routes.protection(context.getHandler(), context.getClass());
    if (protection.isPublic) return true;
    const { policy } = protection;
    const request = this.getRequest(context);
    const isConnection = context.getType<string>() === 'ws';
    const fulfilled = verifiedBy(request);
    // A decorated method of a decorated class has the guard twice. A connection outlives its token.
    if (!isConnection && fulfilled === policy) return true;
    const carrier = tokenCarrier(request, context, policy.authHeaderName);
    const claims = await this.authenticate(context, protection, carrier);
    setVerified(request, policy, claims);
    // For @Claims(), which knows nothing of an override.
    if (this.getRequest !== AuthGuard.prototype.getRequest)
      this.alsoVerified(context, policy, claims);
    const { validate, userProperty } = protection;
    let user: unknown = claims;
    if (validate !== undefined && claims !== undefined)
      user = (await validate(claims, context)) ?? claims;
    (request as Record<string, unknown>)[userProperty] = user;
    if (isConnection && claims !== undefined) closeAtExpiry(request, claims, policy);
    // No backend gets the token, whatever headers are forwarded.
    if (fulfilled === undefined) withholdHeaders(request, policy.credentialHeaders);
    return true;
  }

  private async authenticate(
    context: ExecutionContext,
    { policy, isLenient }: RouteProtection,
    carrier: IncomingMessage,
  ): Promise<VerifiedClaims | undefined> {
    let presented: BearerToken | undefined;
    try {
      presented = bearerToken(carrier, policy);
      if (presented?.scheme === 'DPoP') {
        const response = contextResponse(context);
        if (response !== undefined) await this.proofs?.offerNonce(response);
      }
      return await this.verify(carrier, presented, policy, context);
    } catch (error) {
      const refusal =
        error instanceof TokenRefusedError
          ? new TokenRefusedException(error, policy, presented?.scheme)
          : error;
      if (!(refusal instanceof GatewayException)) throw refusal;
      if (isLenient && refusal.details.error === 'invalid_token') return undefined;
      const response = contextResponse(context);
      // Set here, because Nest's own exception filter sends no headers.
      if (response !== undefined)
        for (const [name, value] of Object.entries(refusal.details.headers ?? {}))
          setResponseHeader(response, name, value);
      this.routes.logRefusal(refusal, context);
      throw await contextRefusal(context, refusal);
    }
  }

  private async verify(
    request: IncomingMessage,
    presented: BearerToken | undefined,
    policy: TokenPolicy,
    context: ExecutionContext,
  ): Promise<VerifiedClaims | undefined> {
    if (presented === undefined) {
      if (policy.optional) return undefined;
      throw tokenMissing(request, policy);
    }
    const { token, source, scheme } = presented;
    if (source === 'cookie') assertSameOrigin(request, this.routes.publicUrl);
    // Proofs are made for a method and a URL, and count once: not for messages.
    const isMessage = request.method === 'CONNECT' || context.getType<string>() === 'rpc';
    const holder = isMessage ? undefined : new RequestHolder(request, scheme, this.routes);
    const claims = await this.verifier.verify(token, policy, holder);
    const { claimHeaders } = policy;
    if (claimHeaders.length > 0)
      addBackendHeaders(this.getRequest(context), claimsToHeaders(claims, claimHeaders));
    return claims;
  }

  private alsoVerified(
    context: ExecutionContext,
    policy: TokenPolicy,
    claims: VerifiedClaims | undefined,
  ): void {
    const known = knownRequest(context);
    if (known !== undefined) setVerified(known, policy, claims);
  }
}
