import { Reflector } from '@nestjs/core';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** Options of `@SignFields`. Their defaults are the options of `SigningModule`. */
export interface SignFieldsOptions<Field extends string = string> {
  /** The fields to sign; dots reach nested fields. */
  fields?: readonly Field[];
  /** Algorithm (RFC 7518 section 3.1). */
  alg?: JwsAlgorithm;
  /** Key id of the signing key, its thumbprint, or `auto`. */
  kid?: string;
  /** Header parameter `typ` (RFC 7515 section 4.1.9). */
  typ?: string;
  /** Seconds until the token expires. A claim `exp` is kept. */
  ttl?: number;
  /** True: flattened JWS JSON (RFC 7515 section 7.2.2), as a string. False: the compact form. */
  full?: boolean;
}

/** The metadata of `@SignFields`, for `Reflector`. */
export const SIGN_FIELDS = Reflector.createDecorator<SignFieldsOptions>();
