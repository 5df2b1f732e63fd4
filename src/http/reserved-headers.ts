import { Injectable, Module } from '@nestjs/common';
import { foldHeader } from '../core/headers/index.js';

/**
 * Names of backend headers that only the gateway writes, on any of its routes: no client's header
 * of such a name, however it spells it, reaches a backend.
 */
@Injectable()
export class ReservedHeaders {
  private readonly folded = new Set<string>();

  reserve(name: string): void {
    this.folded.add(foldHeader(name));
  }

  /** @param folded a name as `foldHeader` gives it */
  has(folded: string): boolean {
    return this.folded.has(folded);
  }
}

/** One {@link ReservedHeaders} for the whole application, whoever imports it. */
@Module({ providers: [ReservedHeaders], exports: [ReservedHeaders] })
export class ReservedHeadersModule {}
