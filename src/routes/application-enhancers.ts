import { Injectable } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';

/** Nest has no public way to what `useGlobalGuards`, `useGlobalInterceptors` and `setGlobalPrefix` were given. */
interface Internals {
  readonly guardsContextCreator?: { getGlobalMetadata?(): unknown };
  readonly interceptorsContextCreator?: {
    getGlobalMetadata?(): unknown;
    readonly config?: { getGlobalPrefix?(): unknown };
  };
}

/** What holds for all routes of the application. */
@Injectable()
export class ApplicationEnhancers {
  private readonly internals: Internals;

  constructor(creator: ExternalContextCreator) {
    this.internals = creator as unknown as Internals;
  }

  /** Guards of `useGlobalGuards` and `APP_GUARD`. */
  guards(): readonly unknown[] {
    return listOf(this.internals.guardsContextCreator?.getGlobalMetadata?.());
  }

  /** Interceptors of `useGlobalInterceptors` and `APP_INTERCEPTOR`. */
  interceptors(): readonly unknown[] {
    return listOf(this.internals.interceptorsContextCreator?.getGlobalMetadata?.());
  }

  /** That of `setGlobalPrefix`, without slashes around it; empty where there is none. */
  prefix(): string {
    const prefix = this.internals.interceptorsContextCreator?.config?.getGlobalPrefix?.();
    return typeof prefix === 'string' ? prefix.replace(/^\/+|\/+$/g, '') : '';
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
