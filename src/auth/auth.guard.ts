import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Injectable,
  Optional,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { BootError, TokenRefusedError } from '../core/errors/index.js';
import {
  addBackendHeaders,
  GatewayException,
  type GatewayError,
  requestContext,
  setResponseHeader,
  withholdHeaders,
} from '../http/index.js';
import { tokenRefusal, TokenRefusedException } from './auth.exceptions.js';
import {
  bearerToken,
  tokenMissing,
  claimsToHeaders,
  type BearerToken,
  type TokenPolicy,
  type TokenVerdict,
  type VerifiedClaims,
} from '../core/verify/index.js';
import { contextRefusal } from './context/context-refusal.js';
import {
  contextRequest,
  contextResponse,
  knownRequest,
  tokenCarrier,
  type ContextRequest,
} from './context/context-request.js';
import { DpopProofs } from './possession/dpop-proofs.service.js';
import { JwtVerifier } from './jwt-verifier.service.js';
import { PROTECTS_ALL, ProtectedRoutes, type RouteProtection } from './protected-routes.service.js';
import { RequestHolder } from './possession/request-holder.js';
import { closeAtExpiry } from './context/socket-expiry.js';
import { setVerified, verifiedBy } from './verified-request.js';

/**
 * Verifies the token of a request to a route with `@RequireJwt`, or, where it is used by itself (`APP_GUARD`,
 * `@UseGuards(AuthGuard)`), to any route without `@Public()`.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly routes: ProtectedRoutes;
  private readonly verifier: JwtVerifier;
  /** Refusals of requests without the header that a policy asks for. */
  private readonly noHeader = new WeakMap<TokenPolicy, TokenRefusedError>();
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
   * @throws as {@link admit}; `GraphQLError`, `WsException` or `RpcException` in contexts of that kind
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
    const claims = await this.authenticate(context, protection, { carrier, target: request });
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

  /**
   * The same for a request of Express to a route with a {@link plainProtection}, without an exception for a
   * refusal: it is what comes back.
   *
   * @returns `undefined` for a request that is let through
   * @internal
   */
  check(
    request: IncomingMessage,
    response: ServerResponse,
    { policy, userProperty }: RouteProtection,
  ): GatewayError | undefined | Promise<GatewayError | undefined> {
    const fulfilled = verifiedBy(request);
    if (fulfilled === policy) return undefined;
    const settle = (verdict: Verdict): GatewayError | undefined => {
      if (isRefusal(verdict)) return verdict.details;
      setVerified(request, policy, verdict);
      (request as unknown as Record<string, unknown>)[userProperty] = verdict;
      if (fulfilled === undefined) withholdHeaders(request, policy.credentialHeaders);
      return undefined;
    };
    const verdict = this.verdict({ carrier: request, target: request, response }, policy);
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict);
  }

  /**
   * How a route is protected, where {@link check} does all that `canActivate` would do; else `undefined`.
   *
   * @internal
   */
  plainProtection(handler: CallableFunction, controller: Type): RouteProtection | undefined {
    const protection = this.routes.protection(handler, controller);
    const { isPublic, isLenient, validate } = protection;
    const isPlain =
      this.constructor === AuthGuard &&
      !isPublic &&
      !isLenient &&
      validate === undefined &&
      !this.routes.logsRefusals;
    return isPlain ? protection : undefined;
  }

  /**
   * Verifies the token of a request; for a handler of HTTP that decides by itself what it asks for.
   *
   * @throws TokenRefusedException 400, 401 or 403 as in RFC 6750 section 3.1, RFC 9449 section 7.1 and RFC 9470
   * @throws CsrfRefusedException 403 for a state-changing request by cookie that another site may have caused
   */
  async admit(
    request: IncomingMessage,
    response: ServerResponse,
    policy: TokenPolicy,
  ): Promise<void> {
    const verdict = await this.verdict({ carrier: request, target: request, response }, policy);
    if (isRefusal(verdict)) {
      setHeaders(response, verdict);
      throw exceptionOf(verdict);
    }
    setVerified(request, policy, verdict);
    withholdHeaders(request, policy.credentialHeaders);
  }

  private async authenticate(
    context: ExecutionContext,
    { policy, isLenient }: RouteProtection,
    presented: Presented,
  ): Promise<VerifiedClaims | undefined> {
    const response = contextResponse(context);
    const isMessage = context.getType<string>() === 'rpc';
    const verdict = await this.verdict({ ...presented, response, isMessage }, policy);
    if (!isRefusal(verdict)) return verdict;
    if (isLenient && verdict.details.error === 'invalid_token') return undefined;
    const refusal = exceptionOf(verdict);
    // Set here, because Nest's own exception filter sends no headers.
    if (response !== undefined) setHeaders(response, refusal);
    this.routes.logRefusal(refusal, context);
    throw await contextRefusal(context, refusal);
  }

  /** A promise only where something is waited for. Only what is no refusal is thrown. */
  private verdict(presented: Presented, policy: TokenPolicy): Verdict | Promise<Verdict> {
    const { carrier } = presented;
    let bearer: BearerToken | undefined;
    try {
      bearer = bearerToken(carrier, policy);
    } catch (error) {
      return this.refusal(error, policy, carrier);
    }
    if (bearer !== undefined) {
      requestContext(presented.target).presented = bearer;
      return this.verify(presented, policy, bearer);
    }
    return policy.optional
      ? undefined
      : this.refusal(this.missing(carrier, policy), policy, carrier);
  }

  /** The same for all requests without the header. */
  private missing(carrier: IncomingMessage, policy: TokenPolicy): TokenRefusedError {
    if (carrier.headers[policy.authHeaderName] !== undefined) return tokenMissing(carrier, policy);
    let error = this.noHeader.get(policy);
    if (error === undefined) this.noHeader.set(policy, (error = tokenMissing(carrier, policy)));
    return error;
  }

  private verify(
    presented: Presented,
    policy: TokenPolicy,
    bearer: BearerToken,
  ): Verdict | Promise<Verdict> {
    const { carrier, response } = presented;
    const { scheme } = bearer;
    const refused = (error: unknown): Refusal => this.refusal(error, policy, carrier, scheme);
    try {
      if (scheme === 'DPoP' && response !== undefined && this.proofs !== undefined)
        return this.proofs
          .offerNonce(response)
          .then(() => this.verifyBearer(presented, policy, bearer))
          .catch(refused);
      const verdict = this.verifyBearer(presented, policy, bearer);
      return verdict instanceof Promise ? verdict.catch(refused) : verdict;
    } catch (error) {
      return refused(error);
    }
  }

  private verifyBearer(
    { carrier, target, isMessage = false }: Presented,
    policy: TokenPolicy,
    { token, source, scheme }: BearerToken,
  ): Verdict | Promise<Verdict> {
    if (source === 'cookie') this.routes.assertSameOrigin(carrier);
    // Proofs are made for a method and a URL, and count once: not for messages.
    const holder =
      isMessage || carrier.method === 'CONNECT'
        ? undefined
        : new RequestHolder(carrier, scheme, this.routes);
    const settle = (verdict: TokenVerdict): Verdict => {
      if (verdict instanceof TokenRefusedError)
        return this.refusal(verdict, policy, carrier, scheme);
      const { claimHeaders } = policy;
      if (claimHeaders.length > 0)
        addBackendHeaders(target, claimsToHeaders(verdict, claimHeaders));
      return verdict;
    };
    const verdict = this.verifier.verdict(token, policy, holder);
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict);
  }

  /** What a request is refused with. @throws `error` where that is no refusal */
  private refusal(
    error: unknown,
    policy: TokenPolicy,
    carrier: IncomingMessage,
    scheme?: BearerToken['scheme'],
  ): Refusal {
    if (error instanceof GatewayException) return error;
    if (!(error instanceof TokenRefusedError)) throw error;
    return new TokenRefused(error, policy, scheme, this.routes.resourceMetadata(carrier));
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

/** What a {@link TokenRefusedException} would say; one is made only where it has to be thrown. */
class TokenRefused {
  private readonly args: ConstructorParameters<typeof TokenRefusedException>;

  constructor(...args: ConstructorParameters<typeof TokenRefusedException>) {
    this.args = args;
  }

  get details(): GatewayError {
    return tokenRefusal(...this.args);
  }

  toException(): TokenRefusedException {
    return new TokenRefusedException(...this.args);
  }
}

type Refusal = TokenRefused | GatewayException;
/** The claims of a token that fulfils a policy, `undefined` without one where none is needed, or a refusal. */
type Verdict = VerifiedClaims | undefined | Refusal;

const isRefusal = (verdict: Verdict): verdict is Refusal =>
  verdict instanceof TokenRefused || verdict instanceof GatewayException;

const exceptionOf = (refusal: Refusal): GatewayException =>
  refusal instanceof TokenRefused ? refusal.toException() : refusal;

/** Where the token of a request is looked for, and what gets what follows from it. */
interface Presented {
  carrier: IncomingMessage;
  /** Gets the headers for the backend. */
  target: ContextRequest;
  response?: object | undefined;
  /** For microservices. */
  isMessage?: boolean;
}

function setHeaders(response: object, { details }: Refusal): void {
  for (const [name, value] of Object.entries(details.headers ?? {}))
    setResponseHeader(response, name, value);
}
