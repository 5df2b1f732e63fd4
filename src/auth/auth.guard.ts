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
import { setVerified, setVerifiedFor, verifiedBy } from './verified-request.js';

/**
 * Verifies the tokens of requests to routes with `@RequireJwt`. Used by itself (`APP_GUARD`, `@UseGuards(AuthGuard)`),
 * it protects every route without `@Public()`.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly routes: ProtectedRoutes;
  private readonly verifier: JwtVerifier;
  /** By policy: the refusal of requests without the header for the token. */
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
   * Returns the request whose token is verified and on which `user` is set. By default it is the request of Express or
   * Fastify; for GraphQL `req` or `reply.request` of the context; for WebSockets the client; for microservices the
   * context of the message. Override this method for other contexts.
   *
   * @returns a request with `headers` and `rawHeaders`, except for WebSockets and messages
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
    // The guard runs twice for a decorated method of a decorated class. Each message of a WebSocket is checked, since
    // the connection may outlive its token.
    if (!isConnection && fulfilled === policy) return true;
    const carrier = tokenCarrier(request, context, policy.authHeaderName);
    const claims = await this.authenticate(context, protection, { carrier, target: request });
    setVerified(request, policy, claims);
    if (context.getType() !== 'http') setVerifiedFor(request, context.getHandler(), claims);
    // @Claims() does not call an overridden getRequest(), so its request gets the claims as well.
    if (this.getRequest !== AuthGuard.prototype.getRequest)
      this.alsoVerified(context, policy, claims);
    const { validate, userProperty } = protection;
    let user: unknown = claims;
    if (validate !== undefined && claims !== undefined)
      user = (await validate(claims, context)) ?? claims;
    (request as Record<string, unknown>)[userProperty] = user;
    if (isConnection && claims !== undefined) closeAtExpiry(request, claims, policy);
    // The allow-list of forwarded headers must not pass the token on to a backend.
    if (fulfilled === undefined) withholdHeaders(request, policy.credentialHeaders);
    return true;
  }

  /**
   * Checks a request of Express to a route with a {@link plainProtection}, like `canActivate`. A refusal is returned,
   * not thrown.
   *
   * @returns the refusal; `undefined` for a request that is accepted
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
   * Returns how a route is protected if {@link check} does all that `canActivate` would do there, else `undefined`.
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
   * Verifies the token of an HTTP request, for handlers that choose the policy themselves.
   *
   * @throws TokenRefusedException 400, 401 or 403 as in RFC 6750 section 3.1, RFC 9449 section 7.1 and RFC 9470
   * @throws CsrfRefusedException 403 for a state-changing request with a cookie that another site may have caused
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

  /** Returns a promise only if a check is asynchronous. Refusals are returned, other errors are thrown. */
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

  /** Returns the refusal of a request without a token. All requests without the header share one. */
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
    // A DPoP proof is for one method, one URL and one use, so it does not fit messages and WebSocket connections.
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

  /** Returns the refusal for an error. @throws `error` if it is not a refusal */
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
    if (known === undefined) return;
    setVerified(known, policy, claims);
    setVerifiedFor(known, context.getHandler(), claims);
  }
}

/** The arguments of a {@link TokenRefusedException}, which is created only where it is thrown. */
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
/** The claims of a token that fulfils the policy, `undefined` if no token came and none is needed, or a refusal. */
type Verdict = VerifiedClaims | undefined | Refusal;

const isRefusal = (verdict: Verdict): verdict is Refusal =>
  verdict instanceof TokenRefused || verdict instanceof GatewayException;

const exceptionOf = (refusal: Refusal): GatewayException =>
  refusal instanceof TokenRefused ? refusal.toException() : refusal;

/** A request to check. Its token is read from `carrier`. */
interface Presented {
  carrier: IncomingMessage;
  /** The request of the application. The claim headers for the backend are stored with it. */
  target: ContextRequest;
  response?: object | undefined;
  /** True for a message of a microservice. */
  isMessage?: boolean;
}

function setHeaders(response: object, { details }: Refusal): void {
  for (const [name, value] of Object.entries(details.headers ?? {}))
    setResponseHeader(response, name, value);
}
