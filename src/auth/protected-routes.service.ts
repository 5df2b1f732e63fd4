import type { IncomingMessage } from 'node:http';
import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type ExecutionContext,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { BootError } from '../core/errors/index.js';
import { oneLine } from '../core/text/index.js';
import { HopTokens, ReservedHeaders, trustsPeer, type GatewayException } from '../http/index.js';
import { RouteExplorer, RouteTable, type Handler, type RouteFacts } from '../routes/index.js';
import { IntrospectionEndpoints, JwkKeyStore, requiredKeys } from '../jwks/index.js';
import { AUTH_OPTIONS, type AuthModuleOptions } from './auth.module-definition.js';
import {
  requestBase,
  requestPath,
  type IssuerFinder,
  type TokenPolicy,
} from '../core/verify/index.js';
import { assertSameOrigin } from './assert-same-origin.js';
import { DpopProofs } from './possession/dpop-proofs.service.js';
import { ResolvedIssuers } from './resolved-issuers.js';
import { compileRoutePolicy } from './route-policy.js';
import { RouteChecks } from './route-checks.js';
import { declarationOf } from './route-declaration.js';
import type { ClaimsValidator, RequireJwtOptions } from './require-jwt.metadata.js';

/** A field name (RFC 9110 section 5.1). */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** Returns a finder that asks the option `issuerResolver` about issuers that the options do not list. */
function issuerFinder(
  options: AuthModuleOptions,
  keys: JwkKeyStore,
  endpoints: IntrospectionEndpoints | undefined,
): IssuerFinder | undefined {
  const { issuer, issuers = [], issuerResolver } = options;
  if (issuerResolver === undefined) return undefined;
  const listed = new Set([issuer, ...issuers.map((one) => one.issuer)].flat());
  const resolved = new ResolvedIssuers(issuerResolver, options, listed, keys, endpoints);
  return (iss, compile) => resolved.find(iss, compile);
}

/** How a route is protected. */
export interface RouteProtection {
  /** True with `@Public()`: the token is not read. */
  readonly isPublic: boolean;
  /** What a token has to fulfil. On a public route it is the policy of `@RequireJwt()` without options. */
  readonly policy: TokenPolicy;
  /** True if a refused token (401 `invalid_token`) counts as no token. */
  readonly isLenient: boolean;
  readonly validate: ClaimsValidator | undefined;
  /** The member of the request that gets the user. */
  readonly userProperty: string;
}

/** Marks guards that also protect routes without a decorator; see `AuthGuard`. */
export const PROTECTS_ALL = Symbol('signet.protects-all');

/** The policies of all routes with `@RequireJwt`: compiled once, checked before the first request. */
@Injectable()
export class ProtectedRoutes implements OnModuleInit {
  /** URL by which clients reach the gateway: the option `publicUrl` of `AuthModule`. */
  readonly publicUrl: string | undefined;
  /** Further origins whose pages may send state-changing requests with a cookie. */
  readonly trustedOrigins: readonly string[] | undefined;
  /** Header of a trusted proxy with the client's certificate, in lower case. */
  readonly mtlsHeader: string | undefined;
  /** `publicUrl` without a slash at its end. */
  private publicBase: string | undefined;
  private metadataPath: string | undefined;
  private readonly logger = new Logger('Auth');
  private readonly options: AuthModuleOptions;
  private readonly keys: JwkKeyStore;
  private readonly findIssuer: IssuerFinder | undefined;
  private readonly compiled = new WeakMap<object, WeakMap<object, RouteProtection>>();

  constructor(
    @Inject(AUTH_OPTIONS) options: AuthModuleOptions | undefined,
    @Optional() @Inject(JwkKeyStore) keys: JwkKeyStore | undefined,
    private readonly explorer: RouteExplorer,
    private readonly reserved: ReservedHeaders,
    private readonly hops: HopTokens,
    private readonly application: ApplicationConfig,
    table: RouteTable,
    @Optional() private readonly proofs?: DpopProofs,
    @Optional() private readonly endpoints?: IntrospectionEndpoints,
  ) {
    // JavaScript code may pass no options. The boot then reports the missing ones.
    const given = options ?? { algorithms: [], issuer: [], audience: [] };
    this.options = { ...given, dpop: given.dpop ?? proofs !== undefined };
    this.keys = requiredKeys(keys, 'AuthModule');
    this.findIssuer = issuerFinder(given, this.keys, endpoints);
    table.describeBy((route) => this.facts(route));
    this.publicUrl = given.publicUrl;
    this.trustedOrigins = given.trustedOrigins;
    this.mtlsHeader = given.mtlsHeader?.toLowerCase();
    if (this.publicUrl !== undefined && !URL.canParse(this.publicUrl))
      throw new BootError("AuthModule: 'publicUrl' is not a URL");
    if (this.mtlsHeader !== undefined && !HEADER_NAME.test(this.mtlsHeader))
      throw new BootError("AuthModule: 'mtlsHeader' is not the name of a header");
  }

  /**
   * Checks every decorated route, and opens the key sets and introspection endpoints that routes name.
   *
   * @throws BootError with one line per route that could not accept any token, or would not be protected
   */
  async onModuleInit(): Promise<void> {
    const defaults = this.defaults();
    this.reserveHeaders(defaults);
    const { explorer, keys, endpoints, hops } = this;
    const checks = new RouteChecks(this, { explorer, keys, endpoints, hops });
    await checks.openEndpoints(defaults);
    const problems = await checks.problems();
    if (problems.length > 0) throw new BootError(problems);
    const unchecked = checks.withUncheckedAudience();
    if (unchecked.length > 0)
      this.logger.warn(
        `The audience is unchecked: tokens that their issuer made for any other service open ${unchecked.join(', ')}. Let the option audienceClaim of AuthModule or the option requiredClaims of AuthModule say which tokens are meant`,
      );
  }

  /** Returns the policy of `@RequireJwt()` without options. */
  defaults(): TokenPolicy {
    try {
      return this.compile({});
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      throw new BootError(error.problems.map((problem) => `AuthModule: ${problem}`));
    }
  }

  /** Returns a policy for the gateway's own tokens that requires one of these roles. @throws BootError */
  withRoles(roles: readonly string[]): TokenPolicy {
    return compileRoutePolicy({ admin: true }, { ...this.options, adminRoles: roles });
  }

  /** Returns the policy of `@RequireJwt` on the method or, if it has none, on its class. */
  policy(handler: CallableFunction, controller: Type): TokenPolicy {
    return this.protection(handler, controller).policy;
  }

  /** Returns how `AuthGuard` protects a route. Without a decorator it is protected as by `@RequireJwt()`. */
  protection(handler: CallableFunction, controller: Type): RouteProtection {
    let ofHandler = this.compiled.get(handler);
    if (ofHandler === undefined) this.compiled.set(handler, (ofHandler = new WeakMap()));
    let protection = ofHandler.get(controller);
    if (protection === undefined) {
      const { route = {}, isPublic } = declarationOf(handler, controller) ?? { isPublic: false };
      const policy = this.compile(route);
      this.reserveHeaders(policy);
      protection = {
        isPublic,
        policy,
        isLenient: route.optional === 'lenient',
        validate: route.validate ?? this.options.validate,
        userProperty: this.options.userProperty ?? 'user',
      };
      ofHandler.set(controller, protection);
    }
    return protection;
  }

  /**
   * True if a route asks for a token, by a decorator or by a global guard. It must not be called before the boot, when
   * the global guards are not known yet.
   */
  isProtected({ handler, controller }: Pick<Handler, 'handler' | 'controller'>): boolean {
    const declared = declarationOf(handler, controller);
    return declared === undefined ? this.protectsAll() : !declared.isPublic;
  }

  /** True if `@Public()` opens a route. */
  isPublic({ handler, controller }: Pick<Handler, 'handler' | 'controller'>): boolean {
    return declarationOf(handler, controller)?.isPublic === true;
  }

  /** True if `AuthGuard` is a global guard: by `protectAll`, `APP_GUARD` or `useGlobalGuards`. */
  protectsAll(): boolean {
    return this.application
      .getGlobalGuards()
      .some((guard) => typeof guard === 'object' && guard !== null && PROTECTS_ALL in guard);
  }

  private facts(route: Handler): Partial<RouteFacts> {
    if (!this.isProtected(route)) return { access: this.isPublic(route) ? 'public' : 'open' };
    const { optional, roles, scopes, issuers } = this.policy(route.handler, route.controller);
    return { access: optional ? 'optional' : 'token', roles, scopes, issuers: [...issuers] };
  }

  /** True if each refused request is logged. */
  get logsRefusals(): boolean {
    return this.options.logRefusals !== false;
  }

  /** Logs a refused request, unless the option `logRefusals` is false. */
  logRefusal({ details }: GatewayException, context: ExecutionContext): void {
    if (!this.logsRefusals) return;
    const { code, status, explanation = details.description } = details;
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    this.logger.warn(oneLine(`${route}: ${status} ${code}: ${explanation}`));
  }

  /** Returns the policy of a route; `undefined` for a route that asks for no token. */
  policyOf({
    handler,
    controller,
  }: Pick<Handler, 'handler' | 'controller'>): TokenPolicy | undefined {
    return this.isProtected({ handler, controller }) ? this.policy(handler, controller) : undefined;
  }

  /**
   * Checks a request whose token is in a cookie.
   *
   * @throws CsrfRefusedException for a state-changing request that a page of another origin may have caused
   */
  assertSameOrigin(request: IncomingMessage): void {
    assertSameOrigin(request, this.publicUrl, this.trustedOrigins);
  }

  /**
   * Returns the URL by which a client reached the application, without a slash at its end; `undefined` if the request
   * names no valid one.
   */
  baseUrl(request: IncomingMessage): string | undefined {
    if (this.publicBase !== undefined) return this.publicBase;
    const { publicUrl } = this;
    const base = requestBase(request, { publicUrl, trustsPeer: trustsPeer(request) });
    if (publicUrl !== undefined) this.publicBase = base;
    return base;
  }

  /**
   * Adds the URL of the resource's metadata to all further challenges (RFC 9728 section 5.1).
   *
   * @param path path of the metadata, to which the path of the resource is appended
   */
  serveMetadataAt(path: string): void {
    this.metadataPath = path;
  }

  /** Returns the URL of the metadata of the requested resource; `undefined` if there is none. */
  resourceMetadata(request: IncomingMessage): string | undefined {
    if (this.metadataPath === undefined) return undefined;
    const [base, path] = [this.baseUrl(request), requestPath(request)];
    if (base === undefined || path === undefined) return undefined;
    return base + this.metadataPath + (path === '/' ? '' : path);
  }

  /** Returns the policy of `@RequireJwt()` without options, and those of all protected routes. */
  policies(): TokenPolicy[] {
    return [
      this.defaults(),
      ...this.explorer.routes().flatMap((route) => this.policyOf(route) ?? []),
    ];
  }

  /** Returns the scopes that routes require, without duplicates. */
  scopes(): string[] {
    const asked = this.explorer
      .routes()
      .filter((route) => this.isProtected(route))
      .flatMap(({ handler, controller }) => this.policy(handler, controller).scopes);
    return [...new Set(asked)];
  }

  private compile(route: RequireJwtOptions): TokenPolicy {
    const policy = compileRoutePolicy(route, this.options, this.findIssuer);
    if (policy.dpop !== false && this.proofs === undefined)
      throw new BootError(
        "'dpop' needs StateModule, which remembers what proofs were used: add StateModule.forRoot(…) to the imports of your root module",
      );
    return policy;
  }

  /**
   * Reserves the headers and the cookie of a policy on all routes, also on those without a token: no backend gets the
   * token of a client, and no client can set a header that is made of claims.
   */
  private reserveHeaders({ claimHeaders, cookieKey, authHeaderName }: TokenPolicy): void {
    for (const { header } of claimHeaders) this.reserved.reserve(header);
    if (cookieKey !== undefined) this.reserved.reserveCookie(cookieKey);
    // Authorization is not reserved: its other schemes may be for the backend.
    if (authHeaderName !== 'authorization') this.reserved.reserve(authHeaderName);
  }
}
