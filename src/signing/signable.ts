import type { Observable } from 'rxjs';

/** Any handler. */
export type SignableHandler = (...args: never[]) => unknown;

/** The value of a result that may be a promise or an observable. */
type Resolved<Result> = Result extends Observable<infer Value> ? Value : Awaited<Result>;

/** The type at a dotted path; `never` where there is no such field, `unknown` where the type is unknown. */
type At<Value, Path extends string> = unknown extends Value
  ? unknown
  : Path extends `${infer Head}.${infer Rest}`
    ? Head extends keyof Value
      ? At<Known<Value[Head]>, Rest>
      : never
    : Path extends keyof Value
      ? Known<Value[Path]>
      : never;

/** `NonNullable`, but `unknown` stays `unknown` instead of `{}`. */
type Known<Value> = unknown extends Value ? unknown : NonNullable<Value>;

/** True for a type that can be a claim set: an object, no list and no string. */
type IsClaims<Value> = [Value] extends [never]
  ? false
  : unknown extends Value
    ? true
    : Value extends readonly unknown[]
      ? false
      : Value extends object
        ? true
        : false;

/** The fields of the union `Field` that cannot be signed in `Value`. `never` without fields. */
type Unsignable<Value, Field extends string> = Field extends unknown
  ? string extends Field
    ? never
    : IsClaims<At<Value, Field>> extends true
      ? never
      : Field
  : never;

/** `unknown` when each `Field` of the handler's result can be signed, else a type that names those that cannot. */
export type SignableField<Handler extends SignableHandler, Field extends string> = [
  Unsignable<Resolved<ReturnType<Handler>>, Field>,
] extends [never]
  ? unknown
  : {
      '@SignFields: no such field, or not an object, in what the handler returns': Unsignable<
        Resolved<ReturnType<Handler>>,
        Field
      >;
    };
