import type { Observable } from 'rxjs';

/** Any handler; its parameters do not matter. */
export type SignableHandler = (...args: never[]) => unknown;

/** What a handler's result holds once it has arrived. */
type Arrived<Result> = Result extends Observable<infer Value> ? Value : Awaited<Result>;

/** The type at a dotted path; `never` where there is no such field, `unknown` where nothing is known. */
type At<Value, Path extends string> = unknown extends Value
  ? unknown
  : Path extends `${infer Head}.${infer Rest}`
    ? Head extends keyof Value
      ? At<Known<Value[Head]>, Rest>
      : never
    : Path extends keyof Value
      ? Known<Value[Path]>
      : never;

/** `NonNullable`, which would make `{}` of `unknown`. */
type Known<Value> = unknown extends Value ? unknown : NonNullable<Value>;

/** True for a type that claims can have: an object, but no list and no text. */
type IsClaims<Value> = [Value] extends [never]
  ? false
  : unknown extends Value
    ? true
    : Value extends readonly unknown[]
      ? false
      : Value extends object
        ? true
        : false;

/** The fields of the union `Field` that cannot be signed in `Value`; none where no field is named. */
type Unsignable<Value, Field extends string> = Field extends unknown
  ? string extends Field
    ? never
    : IsClaims<At<Value, Field>> extends true
      ? never
      : Field
  : never;

/** Unconstrained when each `Field` of the handler's result is signable; otherwise names those that are not. */
export type SignableField<Handler extends SignableHandler, Field extends string> = [
  Unsignable<Arrived<ReturnType<Handler>>, Field>,
] extends [never]
  ? unknown
  : {
      '@SignFields: no such field, or not an object, in what the handler returns': Unsignable<
        Arrived<ReturnType<Handler>>,
        Field
      >;
    };
