import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger, Optional, type OnModuleInit, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { BootError } from '../core/errors/index.js';
import { ReservedHeaders } from '../http/index.js';
import { RouteExplorer, type Route } from '../routes/index.js';
import type { JwsAlgorithm } from '../core/jws/index.js';
import { KeyError, type KeySource } from '../core/keys/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { AUTH_OPTIONS, type AuthModuleOptions } from './auth.module-definition.js';
import {
  hasUncheckedAudience,
  requestBase,
  requestPath,
  type IssuerFinder,
  type TokenPolicy,
} from '../core/verify/index.js';
import { assertSameOrigin } from './assert-same-origin.js';
import { DpopProofs } from './dpop-proofs.service.js';
import { trustsPeer } from './request-holder.js';
import { ResolvedIssuers } from './resolved-issuers.js';
import { compileRoutePolicy } from './route-policy.js';
import { REQUIRE_JWT, type RequireJwtOptions } from './require-jwt.metadata.js';

/** RFC 9110 section 5.1. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** Asks the resolver of the options about issuers that they do not list. */
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

/** The policies of all routes with `@RequireJwt`: compiled once, checked before the first request. */
@Injectable()
export class ProtectedRoutes implements OnModuleInit {
  /** Where clients reach the gateway, when `AuthModule` was told. */
  readonly publicUrl: string | undefined;
  /** Whose pages may use cookies, beside those of the own origin. */
  readonly trustedOrigins: readonly string[] | undefined;
  /** Header of a trusted proxy with the client's certificate, in lower case. */
  readonly mtlsHeader: string | undefined;
  /** `publicUrl` without a slash at its end. */
  private publicBase: string | undefined;
  private metadataPath: string | undefined;
  private readonly options: AuthModuleOptions;
  private readonly findIssuer: IssuerFinder | undefined;
  private readonly compiled = new WeakMap<object, WeakMap<object, TokenPolicy>>();

  constructor(
    @Inject(AUTH_OPTIONS) options: AuthModuleOptions | undefined,
    private readonly keys: JwkKeyStore,
    private readonly reflector: Reflector,
    private readonly explorer: RouteExplorer,
    private readonly reserved: ReservedHeaders,
    @Optional() private readonly proofs?: DpopProofs,
    @Optional() private readonly endpoints?: IntrospectionEndpoints,
  ) {
    // Callers in JavaScript may give none; the boot then names the missing options.
    const given = options ?? { algorithms: [], issuer: [], audience: [] };
    this.options = { ...given, dpop: given.dpop ?? proofs !== undefined };
    this.findIssuer = issuerFinder(given, keys, endpoints);
    this.publicUrl = given.publicUrl;
    this.trustedOrigins = given.trustedOrigins;
    this.mtlsHeader = given.mtlsHeader?.toLowerCase();
    if (this.publicUrl !== undefined && !URL.canParse(this.publicUrl))
      throw new BootError("AuthModule: 'publicUrl' is not a URL");
    if (this.mtlsHeader !== undefined && !HEADER_NAME.test(this.mtlsHeader))
      throw new BootError("AuthModule: 'mtlsHeader' is not the name of a header");
  }

  /**
   * Checks every decorated route and opens the key sets and endpoints that routes bring along.
   *
   * @throws BootError one line per route that could not accept any token
   */
  async onModuleInit(): Promise<void> {
    const defaults = this.defaults();
    this.reserveHeaders(defaults);
    await this.openEndpoints(defaults);
    const problems = await Promise.all(this.explorer.routes().map((route) => this.check(route)));
    if (problems.flat().length > 0) throw new BootError(problems.flat());
    this.warnOfUncheckedAudience();
  }

  /** What a bare `@RequireJwt()` asks for. */
  defaults(): TokenPolicy {
    try {
      return this.compile({});
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      throw new BootError(error.problems.map((problem) => `AuthModule: ${problem}`));
    }
  }

  /** What our own tokens have to fulfil that need one of these roles. @throws BootError */
  withRoles(roles: readonly string[]): TokenPolicy {
    return compileRoutePolicy({ admin: true }, { ...this.options, adminRoles: roles });
  }

  /** What `@RequireJwt` on the method or, failing that, on its class asks for. */
  policy(handler: CallableFunction, controller: Type): TokenPolicy {
    let ofHandler = this.compiled.get(handler);
    if (ofHandler === undefined) this.compiled.set(handler, (ofHandler = new WeakMap()));
    let policy = ofHandler.get(controller);
    if (policy === undefined) {
      const route = this.reflector.getAllAndOverride(REQUIRE_JWT, [
        handler as Route['handler'],
        controller,
      ]);
      policy = this.compile(route ?? {});
      this.reserveHeaders(policy);
      ofHandler.set(controller, policy);
    }
    return policy;
  }

  /** What `@RequireJwt` on a route asks for; `undefined` for a route without. */
  policyOf({
    handler,
    controller,
  }: Pick<Route, 'handler' | 'controller'>): TokenPolicy | undefined {
    return this.isProtected({ handler, controller }) ? this.policy(handler, controller) : undefined;
  }

  /**
   * For a request that takes its token from a cookie.
   *
   * @throws CsrfRefusedException for a state-changing one that a page of another origin may have caused
   */
  assertSameOrigin(request: IncomingMessage): void {
    assertSameOrigin(request, this.publicUrl, this.trustedOrigins);
  }

  /** Where a client reached the application, without a slash at its end; `undefined` where it names no valid URL. */
  baseUrl(request: IncomingMessage): string | undefined {
    if (this.publicBase !== undefined) return this.publicBase;
    const { publicUrl } = this;
    const base = requestBase(request, { publicUrl, trustsPeer: trustsPeer(request) });
    if (publicUrl !== undefined) this.publicBase = base;
    return base;
  }

  /**
   * From now on challenges name the metadata of what was asked for (RFC 9728 section 5.1).
   *
   * @param path where they are: before the path of the resource
   */
  serveMetadataAt(path: string): void {
    this.metadataPath = path;
  }

  /** URL of the metadata of what a request asks for; `undefined` where there are none. */
  resourceMetadata(request: IncomingMessage): string | undefined {
    if (this.metadataPath === undefined) return undefined;
    const [base, path] = [this.baseUrl(request), requestPath(request)];
    if (base === undefined || path === undefined) return undefined;
    return base + this.metadataPath + (path === '/' ? '' : path);
  }

  /** The scopes that routes ask for, each once. */
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

  /** Also on routes that ask for no token, no backend gets one, and no client writes what claims are to say. */
  private reserveHeaders({ claimHeaders, cookieKey, authHeaderName }: TokenPolicy): void {
    for (const [, header] of claimHeaders) this.reserved.reserve(header);
    if (cookieKey !== undefined) this.reserved.reserveCookie(cookieKey);
    // Authorization has other schemes, which may be for the backend.
    if (authHeaderName !== 'authorization') this.reserved.reserve(authHeaderName);
  }

  private async openKeys(policy: TokenPolicy): Promise<void> {
    const { perIssuer } = policy;
    const all = [...(perIssuer?.values() ?? [policy])];
    // Of several issuers one that is away makes its own tokens wait, and nobody else's.
    await Promise.all(
      all.map(async ({ keySource }) => {
        if (keySource !== undefined)
          await this.keys.openVerification(keySource, perIssuer === undefined);
      }),
    );
    // Where none is listed, there is nothing yet to verify with.
    if (perIssuer === undefined && policy.issuers.size === 0) return;
    for (const { algorithms, keySource } of all) {
      const refusals = [...algorithms].flatMap((alg) => this.refusal(alg, keySource));
      // Of several issuers each signs with some of the algorithms.
      if (refusals.length > (perIssuer === undefined ? 0 : algorithms.size - 1)) throw refusals[0];
    }
  }

  /** Their options are checked at boot; whether they answer is not. */
  private async openEndpoints({
    introspection,
    jwtIntrospection,
    perIssuer,
  }: TokenPolicy): Promise<void> {
    const ofIssuers = [...(perIssuer?.values() ?? [])].map((one) => one.jwtIntrospection);
    for (const endpoint of [introspection, jwtIntrospection, ...ofIssuers])
      if (endpoint !== undefined) await this.endpoints?.open(endpoint);
  }

  private refusal(alg: JwsAlgorithm, source: KeySource | undefined): KeyError[] {
    try {
      this.keys.requireVerification(alg, source);
      return [];
    } catch (error) {
      if (error instanceof KeyError) return [error];
      throw error;
    }
  }

  private async check({ handler, controller, label }: Route): Promise<string[]> {
    if (!this.isProtected({ handler, controller })) return [];
    try {
      const policy = this.policy(handler, controller);
      await this.openEndpoints(policy);
      await this.openKeys(policy);
      return [];
    } catch (error) {
      if (error instanceof KeyError) return [`${label}: ${error.message}`];
      if (error instanceof BootError)
        return error.problems.map((problem) => `${label}: ${problem}`);
      throw error;
    }
  }

  private isProtected({ handler, controller }: Pick<Route, 'handler' | 'controller'>): boolean {
    return this.reflector.getAllAndOverride(REQUIRE_JWT, [handler, controller]) !== undefined;
  }

  private warnOfUncheckedAudience(): void {
    const routes = this.explorer
      .routes()
      .filter((route) => this.isProtected(route))
      .filter(({ handler, controller }) => hasUncheckedAudience(this.policy(handler, controller)))
      .map(({ label }) => label);
    if (routes.length > 0)
      new Logger('Auth').warn(
        `The audience is unchecked: tokens that their issuer made for any other service open ${routes.join(', ')}. Let the option audienceClaim of AuthModule or the option requiredClaims of AuthModule say which tokens are meant`,
      );
  }
}
