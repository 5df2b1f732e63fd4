import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { assertSameOrigin } from '../auth/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { SESSION_COOKIES } from '../core/headers/index.js';
import { toNumber } from '../core/json/index.js';
import { tokenOfCookie } from '../core/verify/index.js';
import { addCookie, GatewayException } from '../http/index.js';
import { claimsOf } from './answer-tokens.js';
import { SESSION_OPTIONS, type SessionModuleOptions } from './session.module-definition.js';
import { Revocations } from '../state/index.js';

const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';
/** Browsers silently drop longer cookies. */
const MAX_COOKIE_BYTES = 4096;
/** 400 days, in seconds. Browsers keep no cookie for longer (RFC 6265bis section 5.6.2). */
const MAX_AGE = 34_560_000;

/** The tokens of a session as cookies of the browser that logged in. */
@Injectable()
export class SessionCookies {
  private readonly logger = new Logger(SessionCookies.name);

  constructor(
    @Inject(SESSION_OPTIONS) private readonly options: SessionModuleOptions,
    private readonly revocations: Revocations,
  ) {}

  get enabled(): boolean {
    return this.options.cookies ?? false;
  }

  /** Sets a cookie for each token of a signed answer; it lives as long as its token. */
  set(response: ServerResponse, answer: Readonly<Record<string, unknown>>): void {
    const now = this.revocations.issueTime();
    for (const [field, name] of Object.entries(SESSION_COOKIES)) {
      const token = answer[field];
      if (typeof token !== 'string') continue;
      const maxAge = Math.min(MAX_AGE, Math.max(0, expiry(token) - now));
      const cookie = `${name}=${token}; ${ATTRIBUTES}; Max-Age=${maxAge}`;
      if (cookie.length > MAX_COOKIE_BYTES)
        this.logger.warn(`${name} is longer than the 4096 bytes that browsers keep`);
      addCookie(response, cookie);
    }
  }

  /** Deletes the cookies. */
  clear(response: ServerResponse): void {
    for (const name of Object.values(SESSION_COOKIES))
      addCookie(response, `${name}=; ${ATTRIBUTES}; Max-Age=0`);
  }

  /**
   * Checks a request whose answer would set cookies: a page of another origin must not log its visitor in as another
   * user (login CSRF).
   *
   * @throws CsrfRefusedException while cookies are on, unless the request comes from the own or a trusted origin
   */
  assertMaySet(request: IncomingMessage): void {
    if (this.enabled) this.assertSameOrigin(request);
  }

  /**
   * The refresh token of a browser; `undefined` while cookies are off.
   *
   * @throws CsrfRefusedException when there is one, and the request comes from an origin that is not trusted
   * @throws GatewayException 400 `token_ambiguous` when there are two
   */
  refreshToken(request: IncomingMessage): string | undefined {
    if (!this.enabled) return undefined;
    const token = onlyCookie(request, SESSION_COOKIES.refresh_token);
    if (token !== undefined) this.assertSameOrigin(request);
    return token;
  }

  private assertSameOrigin(request: IncomingMessage): void {
    const { publicUrl, trustedOrigins } = this.options;
    assertSameOrigin(request, publicUrl, trustedOrigins);
  }
}

function onlyCookie(request: IncomingMessage, name: string): string | undefined {
  try {
    return tokenOfCookie(request, name);
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    throw new GatewayException({
      status: 400,
      error: 'invalid_request',
      code: error.code,
      description: 'The request carries more than one token.',
      explanation: error.explanation,
    });
  }
}

/** `exp` of a token that was signed a moment ago. */
const expiry = (token: string): number => Math.floor(toNumber(claimsOf(token).exp) ?? 0);
