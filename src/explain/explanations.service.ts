import { Inject, Injectable, Optional } from '@nestjs/common';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { rewordExplanation, TokenExplainer, type Explanation } from '../core/explain/index.js';
import type { TokenPolicy } from '../core/verify/index.js';
import { GatewayException } from '../http/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { RouteExplorer, RouteTable, type RouteRow } from '../routes/index.js';
import { Revocations } from '../state/index.js';
import { EXPLAIN_OPTIONS, type ExplainModuleOptions } from './explain.module-definition.js';

/** Explains why a token is accepted or refused. */
@Injectable()
export class Explanations {
  private readonly explainer: TokenExplainer;

  constructor(
    keys: JwkKeyStore,
    verifier: JwtVerifier,
    private readonly protectedRoutes: ProtectedRoutes,
    revocations: Revocations,
    endpoints: IntrospectionEndpoints,
    private readonly explorer: RouteExplorer,
    private readonly table: RouteTable,
    @Optional() @Inject(EXPLAIN_OPTIONS) private readonly options: ExplainModuleOptions = {},
  ) {
    this.explainer = new TokenExplainer(keys, verifier, revocations, endpoints);
  }

  /**
   * Checks a token and lists the result of each check.
   *
   * @param question an object with `token` and, optionally, `route`, e.g. `GET /private/custom`. The token is checked
   * by the rule of that route. Default: the rule of a bare `@RequireJwt()`
   * @throws GatewayException 400 `body_malformed` for another value; 503 while keys or state are not available
   */
  async explain(question: unknown): Promise<Explanation> {
    const { token, route } = (question ?? {}) as { token?: unknown; route?: unknown };
    if (typeof token !== 'string' || token === '')
      throw malformed("Send the token as 'token', in JSON or as a form.");
    const policy = route === undefined ? this.protectedRoutes.defaults() : this.policyOf(route);
    if (policy === undefined)
      throw malformed("There is no protected route of that name: send e.g. 'GET /private/custom'.");
    const explanation = await this.explainer.explain(token, policy);
    const { reword } = this.options;
    return reword === undefined ? explanation : rewordExplanation(explanation, reword);
  }

  /** The routes that `route` can name: those with `@RequireJwt`. */
  routes(): RouteRow[] {
    return this.table.rows().filter(({ access }) => access === 'token' || access === 'optional');
  }

  private policyOf(name: unknown): TokenPolicy | undefined {
    const route = this.explorer
      .routes()
      .find((one) => this.explorer.paths(one).some((path) => `${one.method} ${path}` === name));
    return route && this.protectedRoutes.policyOf(route);
  }
}

const malformed = (description: string): GatewayException =>
  new GatewayException({
    status: 400,
    error: 'invalid_request',
    code: 'body_malformed',
    description,
  });
