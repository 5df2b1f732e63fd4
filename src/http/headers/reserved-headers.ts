import { Injectable, Module } from '@nestjs/common';
import { foldHeader, SESSION_COOKIES } from '../../core/headers/index.js';

/**
 * Names of backend headers that only the gateway writes, on any of its routes. A header of the client with such a name,
 * in any spelling, does not reach a backend. Neither does a cookie that carries a token.
 */
@Injectable()
export class ReservedHeaders {
  private readonly folded = new Set<string>();
  private readonly cookies = new Set<string>(Object.values(SESSION_COOKIES));

  reserve(name: string): void {
    this.folded.add(foldHeader(name));
  }

  /** @param folded a name as `foldHeader` returns it */
  has(folded: string): boolean {
    return this.folded.has(folded);
  }

  reserveCookie(name: string): void {
    this.cookies.add(name);
  }

  hasCookie(name: string): boolean {
    return this.cookies.has(name);
  }
}

/** Provides {@link ReservedHeaders}. Nest creates one for the whole application. */
@Module({ providers: [ReservedHeaders], exports: [ReservedHeaders] })
export class ReservedHeadersModule {}
