import { Body, Controller, Header, HttpCode, Inject, Optional, Post } from '@nestjs/common';
import { JwtVerifier, ProtectedRoutes, Public } from '../auth/index.js';
import type { TokenPolicy } from '../core/verify/index.js';
import { rewordExplanation, TokenExplainer, type Explanation } from '../core/explain/index.js';
import { GatewayException } from '../http/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { Operation, RouteExplorer } from '../routes/index.js';
import { Revocations } from '../state/index.js';
import { EXPLAIN_OPTIONS, type ExplainModuleOptions } from './explain.module-definition.js';
import { EXPLAIN_TOKEN } from './explain.operations.js';

/** `POST /_explain`: why a token is accepted or refused. For development only. */
@Controller('_explain')
@Public()
export class ExplainController {
  private readonly explainer: TokenExplainer;

  constructor(
    keys: JwkKeyStore,
    verifier: JwtVerifier,
    private readonly routes: ProtectedRoutes,
    revocations: Revocations,
    endpoints: IntrospectionEndpoints,
    private readonly explorer: RouteExplorer,
    @Optional() @Inject(EXPLAIN_OPTIONS) private readonly options: ExplainModuleOptions = {},
  ) {
    this.explainer = new TokenExplainer(keys, verifier, revocations, endpoints);
  }

  /**
   * Takes `token` as JSON or as a form, and `route`, e.g. `GET /private/custom`, whose `@RequireJwt` then counts in
   * place of a bare one.
   */
  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation(EXPLAIN_TOKEN)
  async explain(@Body() body?: { token?: unknown; route?: unknown }): Promise<Explanation> {
    const token = body?.token;
    if (typeof token !== 'string' || token === '')
      throw malformed("Send the token as 'token', in JSON or as a form.");
    const policy = body?.route === undefined ? this.routes.defaults() : this.policyOf(body.route);
    if (policy === undefined)
      throw malformed("There is no protected route of that name: send e.g. 'GET /private/custom'.");
    const explanation = await this.explainer.explain(token, policy);
    const { reword } = this.options;
    return reword === undefined ? explanation : rewordExplanation(explanation, reword);
  }

  private policyOf(name: unknown): TokenPolicy | undefined {
    const route = this.explorer
      .routes()
      .find((one) => this.explorer.paths(one).some((path) => `${one.method} ${path}` === name));
    return route && this.routes.policyOf(route);
  }
}

const malformed = (description: string): GatewayException =>
  new GatewayException({
    status: 400,
    error: 'invalid_request',
    code: 'body_malformed',
    description,
  });
