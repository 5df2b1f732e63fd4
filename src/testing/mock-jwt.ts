import type { IncomingMessage } from 'node:http';
import type { CanActivate } from '@nestjs/common';
import { setVerified } from '../auth/index.js';
import { nowSeconds } from '../core/time/index.js';
import { compilePolicy, type VerifiedClaims } from '../core/verify/index.js';

/** Claims of a test. Missing `iss`, `aud`, `sub` and `exp` are added. */
export type TestClaims = Readonly<Record<string, unknown>>;

const ISSUER = 'https://issuer.test';
const AUDIENCE = 'https://api.test';
const TTL_SECONDS = 300;

/**
 * Makes a guard that replaces `AuthGuard` in tests: it lets every request pass, and `@Claims` gives these claims. It
 * checks neither tokens nor roles, and needs no `AuthModule`. To test refusals use `createTestIssuer`.
 *
 * @param options `claims` of all requests
 *
 * @example
 * ```ts
 * await Test.createTestingModule({ controllers: [OrdersController] })
 *   .overrideGuard(AuthGuard)
 *   .useValue(mockJwt({ claims: { sub: '42', tenant: 'acme' } }))
 *   .compile();
 * ```
 */
export function mockJwt({ claims = {} }: { claims?: TestClaims } = {}): CanActivate {
  const policy = compilePolicy({}, { algorithms: ['ES256'], issuer: ISSUER, audience: AUDIENCE });
  return {
    canActivate: (context) => {
      const verified: VerifiedClaims = {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: 'test-user',
        exp: nowSeconds() + TTL_SECONDS,
        ...claims,
      };
      setVerified(context.switchToHttp().getRequest<IncomingMessage>(), policy, verified);
      return true;
    },
  };
}
