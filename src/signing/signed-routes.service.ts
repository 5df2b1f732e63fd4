import {
  Inject,
  Injectable,
  Logger,
  Optional,
  StreamableFile,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { BootError } from '../core/errors/index.js';
import { RouteExplorer, RouteTable, type Handler, type Route } from '../routes/index.js';
import { KeyError } from '../core/keys/index.js';
import { JwkKeyStore, requiredKeys } from '../jwks/index.js';
import {
  overlaps,
  compileSigningPolicy,
  type SigningError,
  type SigningPolicy,
} from '../core/sign/index.js';
import { oneLine } from '../core/text/index.js';
import { optionProblems } from '../options/index.js';
import { SIGN_FIELDS, type SignFieldsOptions } from './sign-fields.metadata.js';
import {
  SIGN_FIELDS_KINDS,
  SIGNING_OPTIONS,
  type SigningModuleOptions,
} from './signing.module-definition.js';

/** The signing policies of all routes with `@SignFields`. They are checked at boot. */
@Injectable()
export class SignedRoutes implements OnModuleInit {
  private readonly policies = new WeakMap<object, SigningPolicy>();
  private otherIssuerSeen = false;

  private readonly keys: JwkKeyStore;
  private readonly logger = new Logger('Signing');

  constructor(
    @Inject(SIGNING_OPTIONS) private readonly options: SigningModuleOptions,
    @Optional() @Inject(JwkKeyStore) keys: JwkKeyStore | undefined,
    private readonly reflector: Reflector,
    private readonly explorer: RouteExplorer,
    table: RouteTable,
  ) {
    table.describeBy((route) =>
      this.isSigned(route) ? { signedFields: this.policy(route.handler).fields } : {},
    );
    this.keys = requiredKeys(keys, 'SigningModule');
  }

  /**
   * Checks all decorated handlers.
   *
   * @throws BootError with a line per handler that could not sign, which names the route and the reason
   */
  onModuleInit(): void {
    const problems = [
      ...this.explorer.routes().flatMap((route) => this.check(route, problemsOfRoute(route))),
      ...this.explorer
        .handlers()
        .flatMap((handler) => this.check(handler, this.problemsOfHandler(handler))),
      ...this.explorer
        .others()
        .filter(({ handler }) => Reflect.hasMetadata(SIGN_FIELDS.KEY, handler))
        .map(
          ({ controller, name }) =>
            `${controller.name}.${name}: @SignFields stands on what is no route and no GraphQL field, so nothing would be signed`,
        ),
    ];
    if (problems.length > 0) throw new BootError(problems);
  }

  /** Logs an answer that could not be signed, unless the option `logFailures` is false. */
  logFailure({ code, explanation }: SigningError, context: ExecutionContext): void {
    if (this.options.logFailures === false) return;
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    this.logger.error(oneLine(`${route}: 502 ${code}: ${explanation}`));
  }

  /** The policy of a handler with `@SignFields`: its options and the defaults of `SigningModule`. */
  policy(handler: CallableFunction): SigningPolicy {
    let policy = this.policies.get(handler);
    if (policy === undefined) {
      policy = compileSigningPolicy(this.reflector.get(SIGN_FIELDS, handler) ?? {}, this.options);
      this.policies.set(handler, policy);
    }
    return policy;
  }

  /**
   * Warns once about claims whose `iss` is not our issuer. They are signed unchanged.
   */
  noteIssuer(iss: unknown): void {
    const { issuer } = this.options;
    if (this.otherIssuerSeen || issuer === undefined || iss === issuer) return;
    this.otherIssuerSeen = true;
    this.logger.warn(
      'Claims came with an iss that is not the option issuer of SigningModule (SIGNER_ISSUER). It stays, and services that compare it with the issuer of the metadata refuse such tokens. Leave iss out, or set the option to it',
    );
  }

  /** True for a handler with `@SignFields`. */
  isSigned({ handler }: Pick<Handler, 'handler'>): boolean {
    return Reflect.hasMetadata(SIGN_FIELDS.KEY, handler);
  }

  private problemsOfHandler({ kind, method }: Handler): string[] {
    if (kind !== 'graphql')
      return ['@SignFields does not work for messages; sign with JwtSigner instead'];
    if (method === 'Subscription')
      return ['@SignFields does not work for subscriptions; sign with JwtSigner instead'];
    return method !== 'Field' || this.explorer.fieldEnhancers().includes('interceptors')
      ? []
      : [
          "Nest runs no interceptor around the fields of a type; add 'interceptors' to the option fieldResolverEnhancers of GraphQLModule",
        ];
  }

  private check({ handler, label }: Handler, found: readonly string[]): string[] {
    const options = this.reflector.get(SIGN_FIELDS, handler);
    if (options === undefined) return [];
    const wrong = optionProblems<SignFieldsOptions>(options, SIGN_FIELDS_KINDS);
    if (wrong.length > 0) return wrong.map((text) => `${label}: @SignFields: ${text}`);
    const { fields, field } = this.policy(handler);
    const problems = [...found];
    if (fields.length === 0) problems.push('there is no field to sign');
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

function problemsOfRoute({ writesResponse, sendsEvents, controller, name }: Route): string[] {
  const problems: string[] = [];
  if (writesResponse)
    problems.push(
      'the handler writes the response itself; return it, or use @Res({ passthrough: true })',
    );
  if (sendsEvents)
    problems.push('@SignFields does not work for @Sse(); sign with JwtSigner instead');
  const prototype = controller.prototype as object;
  if (Reflect.getMetadata('design:returntype', prototype, name) === StreamableFile)
    problems.push('the handler returns a file, which has no fields to sign');
  return problems;
}
