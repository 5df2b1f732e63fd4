import { applyDecorators, UseInterceptors } from '@nestjs/common';
import type { SignableField, SignableHandler } from './signable.js';
import { SigningInterceptor } from './signing.interceptor.js';
import { SIGN_FIELDS, type SignFieldsOptions } from './sign-fields.metadata.js';

/** A return type that no property decorator may have, so that the compiler refuses the decorator on a property. */
interface NoPropertyDecorator {
  readonly '@SignFields: there is no result to sign': never;
}

/** The type of `@SignFields`: it compiles only on a method whose result has an object in each field. */
export interface SignFieldsDecorator<Field extends string> {
  /** For `applyDecorators`, which does not know the method. */
  (target: object, name: string | symbol, method?: undefined): NoPropertyDecorator;
  <Handler extends SignableHandler>(
    target: object,
    name: string | symbol,
    method: TypedPropertyDescriptor<Handler> & SignableField<Handler, Field>,
  ): void;
}

/**
 * Signs fields of the handler's result as JWTs (RFC 7519). Each field has to hold an object with claims; the client
 * gets a compact JWS (RFC 7515 section 7.1) in its place. Missing `iat`, `exp`, `jti`, `iss` and `aud` are added. An
 * answer that cannot be signed becomes 502. The boot fails without `SigningModule`, and where a key does not fit.
 *
 * @param fields names of the fields; dots reach nested fields. Default: the option `fields` of `SigningModule`. In
 * place of names {@link SignFieldsOptions} can be given
 *
 * @example
 * ```ts
 * @Post()
 * @SignFields({ fields: ['receipt'], typ: 'receipt+jwt', ttl: 600 })
 * order(): Order { return { id: 7, receipt: { order: 7 } }; }
 * ```
 */
export function SignFields(): SignFieldsDecorator<never>;
export function SignFields<const Field extends string>(
  options: SignFieldsOptions<Field>,
): SignFieldsDecorator<Field>;
export function SignFields<const Field extends string>(
  ...fields: readonly Field[]
): SignFieldsDecorator<Field>;
export function SignFields(...args: readonly (string | SignFieldsOptions)[]): MethodDecorator {
  const [first] = args;
  const options: SignFieldsOptions =
    typeof first === 'object' ? first : args.length > 0 ? { fields: args as string[] } : {};
  return applyDecorators(SIGN_FIELDS(options), UseInterceptors(SigningInterceptor));
}
