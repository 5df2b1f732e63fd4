import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { BootError } from '../core/errors/index.js';
import { RouteExplorer, type Route } from '../routes/index.js';
import { KeyError } from '../core/keys/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { overlaps, compileSigningPolicy, type SigningPolicy } from '../core/sign/index.js';
import { SIGN_FIELDS } from './sign-fields.metadata.js';
import { SIGNING_OPTIONS, type SigningModuleOptions } from './signing.module-definition.js';

/** The policies of all routes with `@SignFields`: made once, checked before the first request. */
@Injectable()
export class SignedRoutes implements OnModuleInit {
  private readonly policies = new WeakMap<object, SigningPolicy>();
  private otherIssuerSeen = false;

  constructor(
    @Inject(SIGNING_OPTIONS) private readonly options: SigningModuleOptions,
    private readonly keys: JwkKeyStore,
    private readonly reflector: Reflector,
    private readonly explorer: RouteExplorer,
  ) {}

  /**
   * Checks every decorated route.
   *
   * @throws BootError one line per route that could not sign, naming route and kid
   */
  onModuleInit(): void {
    const problems = this.explorer.routes().flatMap((route) => this.check(route));
    if (problems.length > 0) throw new BootError(problems);
  }

  /** What `@SignFields` on this handler means. */
  policy(handler: CallableFunction): SigningPolicy {
    let policy = this.policies.get(handler);
    if (policy === undefined) {
      policy = compileSigningPolicy(this.reflector.get(SIGN_FIELDS, handler) ?? {}, this.options);
      this.policies.set(handler, policy);
    }
    return policy;
  }

  /**
   * Says once that claims came with an `iss` that is not ours. They are signed as they are; who compares
   * the issuer refuses the token.
   */
  noteIssuer(iss: unknown): void {
    const { issuer } = this.options;
    if (this.otherIssuerSeen || issuer === undefined || iss === issuer) return;
    this.otherIssuerSeen = true;
    new Logger('Signing').warn(
      'Claims came with an iss that is not the option issuer of SigningModule (SIGNER_ISSUER). It stays, and services that compare it with the issuer of the metadata refuse such tokens. Leave iss out, or set the option to it',
    );
  }

  private check({ handler, label, writesResponse }: Route): string[] {
    if (this.reflector.get(SIGN_FIELDS, handler) === undefined) return [];
    const { fields, field } = this.policy(handler);
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
        if (!(error instanceof KeyError)) throw error;
        problems.push(error.message);
      }
    }
    return [...new Set(problems)].map((problem) => `${label}: ${problem}`);
  }
}
