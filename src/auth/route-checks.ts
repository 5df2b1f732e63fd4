import type { RouteExplorer, Handler } from '../routes/index.js';
import { BootError } from '../core/errors/index.js';
import type { JwsAlgorithm } from '../core/jws/index.js';
import { KeyError, type KeySource } from '../core/keys/index.js';
import { hasUncheckedAudience, type TokenPolicy } from '../core/verify/index.js';
import type { HopTokens } from '../http/index.js';
import type { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { optionProblems } from '../options/index.js';
import { REQUIRE_JWT_KINDS } from './auth.module-definition.js';
import { loadClassPackages } from './claims-class.js';
import type { ProtectedRoutes } from './protected-routes.service.js';
import { PUBLIC } from './public.decorator.js';
import { REQUIRE_JWT } from './require-jwt.metadata.js';
import { declarationOf } from './route-declaration.js';

/** The services that the checks use. */
interface Needs {
  readonly explorer: RouteExplorer;
  readonly keys: JwkKeyStore;
  readonly endpoints: IntrospectionEndpoints | undefined;
  readonly hops: HopTokens;
}

/**
 * The checks before the first request. They find decorators without the expected effect, and routes that could accept
 * no token. They open the key sets and introspection endpoints that routes name.
 */
export class RouteChecks {
  private readonly handlers: readonly Handler[];

  constructor(
    private readonly routes: ProtectedRoutes,
    private readonly needs: Needs,
  ) {
    const { explorer } = needs;
    this.handlers = [...explorer.routes(), ...explorer.handlers(), ...explorer.gateways()];
  }

  /** Returns one line per route that could not accept any token, or would not be protected. */
  async problems(): Promise<string[]> {
    const problems = await Promise.all(this.handlers.map((handler) => this.check(handler)));
    return [...problems.flat(), ...this.unreached()];
  }

  /** Returns the routes that accept tokens which their issuer made for other services. */
  withUncheckedAudience(): string[] {
    return this.handlers
      .filter((route) => this.routes.isProtected(route))
      .filter(({ handler, controller }) =>
        hasUncheckedAudience(this.routes.policy(handler, controller)),
      )
      .map(({ label }) => label);
  }

  /** Opens the introspection endpoints of a policy. It checks their options, but not whether they answer. */
  async openEndpoints({ introspection, jwtIntrospection, perIssuer }: TokenPolicy): Promise<void> {
    const ofIssuers = [...(perIssuer?.values() ?? [])].map((one) => one.jwtIntrospection);
    for (const endpoint of [introspection, jwtIntrospection, ...ofIssuers])
      if (endpoint !== undefined) await this.needs.endpoints?.open(endpoint);
  }

  private async check(route: Handler): Promise<string[]> {
    const { handler, controller, label } = route;
    const problem = this.misplaced(route);
    if (problem !== undefined) return [`${label}: ${problem}`];
    if (!this.routes.isProtected(route)) return [];
    const wrong = optionProblems(declarationOf(handler, controller)?.route, REQUIRE_JWT_KINDS);
    if (wrong.length > 0) return wrong.map((text) => `${label}: @RequireJwt: ${text}`);
    try {
      const policy = this.routes.policy(handler, controller);
      const { claims } = declarationOf(handler, controller)?.route ?? {};
      if (typeof claims === 'function') await loadClassPackages();
      if (policy.dpop === 'required' && (route.kind === 'ws' || route.kind === 'rpc'))
        return [
          `${label}: 'dpop' is required, and a proof (RFC 9449) cannot be made for a message`,
        ];
      if (policy.hop !== undefined) this.needs.hops.require();
      await this.openEndpoints(policy);
      await this.openKeys(policy);
      return [];
    } catch (error) {
      if (error instanceof KeyError) return [`${label}: ${error.message}`];
      if (error instanceof BootError) return error.problems.map((text) => `${label}: ${text}`);
      throw error;
    }
  }

  private async openKeys(policy: TokenPolicy): Promise<void> {
    const { perIssuer } = policy;
    const all = [...(perIssuer?.values() ?? [policy])];
    // An issuer that cannot be reached affects only its own tokens.
    await Promise.all(
      all.map(async ({ keySource }) => {
        if (keySource !== undefined)
          await this.needs.keys.openVerification(keySource, perIssuer === undefined);
      }),
    );
    // Without listed issuers there are no keys yet.
    if (perIssuer === undefined && policy.issuers.size === 0) return;
    for (const { algorithms, keySource } of all) {
      const refusals = [...algorithms].flatMap((alg) => this.refusal(alg, keySource));
      // With several issuers, each one may use only some of the algorithms.
      if (refusals.length > (perIssuer === undefined ? 0 : algorithms.size - 1)) throw refusals[0];
    }
  }

  private refusal(alg: JwsAlgorithm, source: KeySource | undefined): KeyError[] {
    try {
      this.needs.keys.requireVerification(alg, source);
      return [];
    } catch (error) {
      if (error instanceof KeyError) return [error];
      throw error;
    }
  }

  /** Returns why a decorator, or a missing one, would not have the expected effect; else `undefined`. */
  private misplaced({ handler, controller, kind, method }: Handler): string | undefined {
    for (const target of [handler, controller])
      if (Reflect.hasMetadata(REQUIRE_JWT.KEY, target) && Reflect.hasMetadata(PUBLIC.KEY, target))
        return '@RequireJwt and @Public both stand on it; choose one';
    const declared = declarationOf(handler, controller);
    if (kind === 'graphql' && method === 'Field' && declared?.isPublic === false)
      return this.needs.explorer.fieldEnhancers().includes('guards')
        ? undefined
        : "Nest runs no guard before the fields of a type; add 'guards' to the option fieldResolverEnhancers of GraphQLModule, or open the field with @Public()";
    // Global guards of a hybrid application do not run for microservices.
    return kind === 'rpc' && declared === undefined && this.routes.protectsAll()
      ? 'Nest may run no guard of the application before messages of microservices; put @RequireJwt() or @Public() on it'
      : undefined;
  }

  /** Returns one line per `@RequireJwt` on a method that no request reaches. */
  private unreached(): string[] {
    return this.needs.explorer
      .others()
      .filter(({ handler }) => Reflect.hasMetadata(REQUIRE_JWT.KEY, handler))
      .filter(({ name }) => name !== 'handleConnection')
      .map(
        ({ controller, name }) =>
          `${controller.name}.${name}: @RequireJwt stands on what is no route, no GraphQL field and no message, so nothing would be protected`,
      );
  }
}
