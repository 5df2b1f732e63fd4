import type { Type } from '@nestjs/common';
import { PUBLIC } from './public.decorator.js';
import { REQUIRE_JWT, type RequireJwtOptions } from './require-jwt.metadata.js';

/** The decorator of a method or, if it has none, of its class. */
export interface Declaration {
  readonly route?: RequireJwtOptions;
  readonly isPublic: boolean;
}

/** Returns the decorator of a route; `undefined` if there is none. */
export function declarationOf(
  handler: CallableFunction,
  controller: Type,
): Declaration | undefined {
  for (const target of [handler, controller]) {
    const route = Reflect.getMetadata(REQUIRE_JWT.KEY, target) as RequireJwtOptions | undefined;
    if (route !== undefined) return { route, isPublic: false };
    if (Reflect.getMetadata(PUBLIC.KEY, target) === true) return { isPublic: true };
  }
  return undefined;
}
