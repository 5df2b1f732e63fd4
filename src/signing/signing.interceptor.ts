import {
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { BootError } from '../core/errors/index.js';
import { setResponseHeader } from '../http/index.js';
import { signAnswer, SigningError, type SigningPolicy } from '../core/sign/index.js';
import { AnswerSerializer } from './answer-serializer.service.js';
import { JwtSigner } from './jwt-signer.service.js';
import { SignedRoutes } from './signed-routes.service.js';
import { SigningException } from './signing.exception.js';
import { SignedAnswer, UnsignedAnswer } from './unsigned-answer.js';

/**
 * Signs the result of a handler with `@SignFields`. As an interceptor of the route it is the first one to get the
 * result, so all others see tokens and no claims.
 */
@Injectable()
export class SigningInterceptor implements NestInterceptor {
  private readonly routes: SignedRoutes;
  private readonly signer: JwtSigner;
  private readonly serializer: AnswerSerializer;

  constructor(
    @Optional() routes?: SignedRoutes,
    @Optional() signer?: JwtSigner,
    @Optional() serializer?: AnswerSerializer,
  ) {
    if (routes === undefined || signer === undefined || serializer === undefined)
      throw new BootError(
        '@SignFields needs SigningModule: add SigningModule.forRoot(…) to the imports of your root module',
      );
    this.routes = routes;
    this.signer = signer;
    this.serializer = serializer;
  }

  /** @throws SigningException (502) when the result cannot be signed */
  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    this.begin(context);
    // `lastValueFrom` instead of rxjs operators: these cost more than an HMAC signature.
    const result: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
    return of(await this.signed(result, context));
  }

  /** The part before the handler: sets the headers that forbid caching (RFC 6749 section 5.1). */
  begin(context: ExecutionContext): void {
    if (context.getType() !== 'http') return;
    const response = context.switchToHttp().getResponse<object>();
    setResponseHeader(response, 'Cache-Control', 'no-store');
    setResponseHeader(response, 'Pragma', 'no-cache');
  }

  /** The part after the handler: the signed answer. @throws SigningException (502) as a rejection */
  signed(result: unknown, context: ExecutionContext): unknown {
    if (result instanceof SignedAnswer) return result.body;
    return this.sign(result, this.routes.policy(context.getHandler()), context);
  }

  private async sign(
    result: unknown,
    policy: SigningPolicy,
    context: ExecutionContext,
  ): Promise<Record<string, unknown>> {
    const { body, steps, fields } =
      result instanceof UnsignedAnswer
        ? result
        : { body: result, steps: undefined, fields: undefined };
    const chosen = fields === undefined ? policy : { ...policy, fields, requireAll: true };
    try {
      const shown = this.serializer.serialize(body, chosen.fields, context);
      return await signAnswer(
        shown instanceof Promise ? await shown : shown,
        chosen,
        (claims, format) => {
          this.routes.noteIssuer(claims.iss);
          return this.signer.sign(claims, format);
        },
        this.signer.now(),
        steps,
      );
    } catch (error) {
      if (!(error instanceof SigningError)) throw error;
      this.routes.logFailure(error, context);
      throw new SigningException(error);
    }
  }
}
