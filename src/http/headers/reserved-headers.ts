import { Injectable, Module } from '@nestjs/common';
import { foldHeader, SESSION_COOKIES } from '../../core/headers/index.js';

/**
 * Names of backend headers that only the gateway writes, on any of its routes: no client's header
 * of such a name, however it spells it, reaches a backend. Nor does a cookie that carries a token.
 */
@Injectable()
export class ReservedHeaders {
  private readonly folded = new Set<string>();
  private readonly cookies = new Set<string>(Object.values(SESSION_COOKIES));

  reserve(name: string): void {
    this.folded.add(foldHeader(name));
  }

  /** @param folded a name as `foldHeader` gives it */
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

/** One {@link ReservedHeaders} for the whole application, whoever imports it. */
@Module({ providers: [ReservedHeaders], exports: [ReservedHeaders] })
export class ReservedHeadersModule {}
