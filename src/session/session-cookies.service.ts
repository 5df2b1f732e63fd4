import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { assertSameOrigin } from '../auth/index.js';
import { tokenOfCookie } from '../core/verify/index.js';
import { addCookie } from '../http/index.js';
import { toNumber } from '../core/json/index.js';
import { SESSION_OPTIONS, type SessionModuleOptions } from './session.module-definition.js';
import { nowSeconds } from '../core/time/index.js';

/** `__Host-` makes browsers insist on Secure, on no Domain and on the path `/` (RFC 6265bis). */
const NAMES = { access_token: '__Host-access_token', refresh_token: '__Host-refresh_token' };
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';
/** Browsers drop longer ones without a word. */
const MAX_COOKIE_BYTES = 4096;
/** 400 days; browsers keep none for longer (RFC 6265bis section 5.6.2). */
const MAX_AGE = 34_560_000;

/** The tokens of a session as cookies of the browser that logged in. */
@Injectable()
export class SessionCookies {
  private readonly logger = new Logger(SessionCookies.name);

  constructor(@Inject(SESSION_OPTIONS) private readonly options: SessionModuleOptions) {}

  get enabled(): boolean {
    return this.options.cookies ?? false;
  }

  /** Sets a cookie for each token of a signed answer; it lives as long as its token. */
  set(response: ServerResponse, answer: Readonly<Record<string, unknown>>): void {
    const now = nowSeconds();
    for (const [field, name] of Object.entries(NAMES)) {
      const token = answer[field];
      if (typeof token !== 'string') continue;
      const maxAge = Math.min(MAX_AGE, Math.max(0, expiry(token) - now));
      const cookie = `${name}=${token}; ${ATTRIBUTES}; Max-Age=${maxAge}`;
      if (cookie.length > MAX_COOKIE_BYTES)
        this.logger.warn(`${name} is longer than the 4096 bytes that browsers keep`);
      addCookie(response, cookie);
    }
  }

  /** Ends them. */
  clear(response: ServerResponse): void {
    for (const name of Object.values(NAMES))
      addCookie(response, `${name}=; ${ATTRIBUTES}; Max-Age=0`);
  }

  /**
   * The refresh token of a browser; `undefined` while cookies are off.
   *
   * @throws CsrfRefusedException when there is one, and the request comes from another origin
   */
  refreshToken(request: IncomingMessage): string | undefined {
    const token = this.enabled ? tokenOfCookie(request, NAMES.refresh_token) : undefined;
    if (token !== undefined) assertSameOrigin(request, this.options.publicUrl);
    return token;
  }
}

/** `exp` of a token that was signed a moment ago. */
function expiry(token: string): number {
  const [, payload = ''] = token.split('.', 2);
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: unknown };
  return Math.floor(toNumber(claims.exp) ?? 0);
}
