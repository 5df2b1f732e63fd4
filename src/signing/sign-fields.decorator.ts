import { applyDecorators, UseInterceptors } from '@nestjs/common';
import type { SignableField, SignableHandler } from './signable.js';
import { SigningInterceptor } from './signing.interceptor.js';
import { SIGN_FIELDS, type SignFieldsOptions } from './sign-fields.metadata.js';

/** What the decorator of a property must not return. */
interface NoPropertyDecorator {
  readonly '@SignFields: there is no result to sign': never;
}

/** Accepts only a method whose result has an object in each field. */
export interface SignFieldsDecorator<Field extends string> {
  /** For `applyDecorators`, which says nothing about the method. No property may have such a decorator. */
  (target: object, name: string | symbol, method?: undefined): NoPropertyDecorator;
  <Handler extends SignableHandler>(
    target: object,
    name: string | symbol,
    method: TypedPropertyDescriptor<Handler> & SignableField<Handler, Field>,
  ): void;
}

/**
 * Signs fields of what the handler returns as JWTs: each named field has to hold an object with
 * claims, and reaches the client as a compact JWS. Without arguments the fields configured in
 * `SigningModule` are signed. Brings its interceptor along; without `SigningModule` the boot fails.
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
