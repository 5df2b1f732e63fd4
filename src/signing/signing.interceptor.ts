import type { IncomingMessage } from 'node:http';
import {
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { BootError } from '../core/errors/boot.error.js';
import { ACCESS_TOKEN_TYPE, missingProfileClaims } from '../core/claims/token-type.js';
import { JwtSigner } from './jwt-signer.service.js';
import { signFields, type ClaimSet } from '../core/sign/sign-fields.js';
import { SignedRoutes } from './signed-routes.service.js';
import { SigningException } from './signing.exception.js';
import { SignedAnswer, signingSession } from './unsigned-answer.js';
import type { SigningPolicy } from '../core/sign/signing-policy.js';
import { stampClaims } from '../core/sign/stamp-claims.js';
import { withTokenMetadata } from '../core/sign/token-metadata.js';

/**
 * Signs what a handler with `@SignFields` returns. It sits on the route, so it is the first to see
 * the result on its way out, and everything outside of it sees tokens only.
 */
@Injectable()
export class SigningInterceptor implements NestInterceptor {
  private readonly routes: SignedRoutes;
  private readonly signer: JwtSigner;

  constructor(@Optional() routes?: SignedRoutes, @Optional() signer?: JwtSigner) {
    if (routes === undefined || signer === undefined)
      throw new BootError(
        '@SignFields needs SigningModule: add SigningModule.forRoot(…) to the imports of your root module',
      );
    this.routes = routes;
    this.signer = signer;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const plan = this.routes.plan(context.getHandler());
    const request = context.switchToHttp().getRequest<IncomingMessage>();
    // A promise all the way: operators of rxjs cost more than the signature.
    const body = await lastValueFrom(next.handle(), { defaultValue: undefined });
    return of(await this.sign(body, plan, request));
  }

  private async sign(
    body: unknown,
    plan: SigningPolicy,
    request: IncomingMessage,
  ): Promise<unknown> {
    if (body instanceof SignedAnswer) return body.body;
    // The handler has run: whoever takes part has said so.
    const session = signingSession(request);
    const now = Math.floor(Date.now() / 1000);
    let accessExp: unknown;
    const signed = await signFields(
      body,
      plan.fields,
      plan.requireAll,
      (claims, field) => {
        const { format, stamp, profiled } = plan.field(field);
        const stamped = stampClaims(claims, field, stamp, now);
        if (profiled) assertProfile(stamped, field);
        if (field === 'access_token') accessExp = stamped.exp;
        return this.signer.sign(stamped, format);
      },
      session?.complete?.bind(session),
    );
    const answer = withTokenMetadata(signed, accessExp, now);
    return session?.commit === undefined ? answer : session.commit(answer);
  }
}

/** RFC 9068 section 2.2: what cannot be added here, the backend has to send. */
function assertProfile(claims: ClaimSet, field: string): void {
  const missing = missingProfileClaims(claims);
  if (missing.length > 0)
    throw new SigningException(
      'sign_target_invalid',
      `field '${field}' is signed as ${ACCESS_TOKEN_TYPE} and lacks: ${missing.join(', ')}`,
    );
}
