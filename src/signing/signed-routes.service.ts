import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { BootException } from '../core/errors/boot.error.js';
import { RouteExplorer, type Route } from '../routes/route-explorer.js';
import { JwkKeyStore, KeyProblem } from '../jwks/index.js';
import { overlaps } from '../core/sign/sign-fields.js';
import { SIGN_FIELDS } from './sign-fields.metadata.js';
import { planSigning, type SigningPlan } from '../core/sign/signing-policy.js';
import { SIGNING_OPTIONS, type SigningModuleOptions } from './signing.module-definition.js';

/** The plans of all routes with `@SignFields`: made once, checked before the first request. */
@Injectable()
export class SignedRoutes implements OnModuleInit {
  private readonly plans = new WeakMap<object, SigningPlan>();

  constructor(
    @Inject(SIGNING_OPTIONS) private readonly options: SigningModuleOptions,
    private readonly keys: JwkKeyStore,
    private readonly reflector: Reflector,
    private readonly explorer: RouteExplorer,
  ) {}

  /**
   * Checks every decorated route.
   *
   * @throws BootException one line per route that could not sign, naming route and kid
   */
  onModuleInit(): void {
    const problems = this.explorer.routes().flatMap((route) => this.check(route));
    if (problems.length > 0) throw new BootException(problems);
  }

  /** What `@SignFields` on this handler means. */
  plan(handler: CallableFunction): SigningPlan {
    let plan = this.plans.get(handler);
    if (plan === undefined) {
      plan = planSigning(this.reflector.get(SIGN_FIELDS, handler) ?? {}, this.options);
      this.plans.set(handler, plan);
    }
    return plan;
  }

  private check({ handler, label, writesResponse }: Route): string[] {
    if (this.reflector.get(SIGN_FIELDS, handler) === undefined) return [];
    const { fields, field } = this.plan(handler);
    const problems = fields.length === 0 ? ['there is no field to sign'] : [];
    if (writesResponse)
      problems.push(
        'the handler writes the response itself; return it, or use @Res({ passthrough: true })',
      );
    for (const name of fields) {
      if (overlaps(name, fields)) problems.push(`field '${name}' holds another field to sign`);
      const { alg, kid } = field(name).format;
      try {
        this.keys.requireSigning(alg, kid);
      } catch (error) {
        if (!(error instanceof KeyProblem)) throw error;
        problems.push(error.message);
      }
    }
    return [...new Set(problems)].map((problem) => `${label}: ${problem}`);
  }
}
