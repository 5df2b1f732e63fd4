import { Reflector } from '@nestjs/core';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** Options of `@SignFields`; what is left out comes from `SigningModule`. */
export interface SignFieldsOptions<Field extends string = string> {
  /** Fields to sign; dots reach nested fields. */
  fields?: readonly Field[];
  alg?: JwsAlgorithm;
  /** Key id of the signing key. */
  kid?: string;
  /** `typ` header. */
  typ?: string;
  /** Lifetime in seconds where the claims have no `exp`. */
  ttl?: number;
  /** Flattened JWS JSON, as a string, instead of the compact form. */
  full?: boolean;
}

/** Metadata of a route that `@SignFields` decorates. */
export const SIGN_FIELDS = Reflector.createDecorator<SignFieldsOptions>();
