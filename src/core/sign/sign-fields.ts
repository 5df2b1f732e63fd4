import { ABSENT, isJsonObject, memberAt } from '../json/index.js';
import { SigningError } from './signing.error.js';

/** A claim set as the backend sent it. */
export type ClaimSet = Readonly<Record<string, unknown>>;

/**
 * Replaces each listed field that `body` has by the token that `sign` makes of it.
 * `body` itself is not changed: the handler may keep a reference to it.
 *
 * @param fields names; a dot separates the names of nested fields
 * @param requireAll true: `body` must have every field, not just one
 * @param sign makes the token of one field
 * @param complete may read and replace all claim sets before the first one is signed
 * @returns a copy of `body`, of the same class, with tokens in place of claims
 * @throws SigningError `sign_target_missing`, with the fields to sign and the fields seen;
 * `sign_target_invalid` for a field that is not an object, or that contains another field to sign
 */
export async function signFields(
  body: unknown,
  fields: readonly string[],
  requireAll: boolean,
  sign: (claims: ClaimSet, field: string) => string | Promise<string>,
  complete?: (
    claimSets: ReadonlyMap<string, ClaimSet>,
  ) => ((field: string) => ClaimSet) | undefined,
): Promise<Record<string, unknown>> {
  const present = targetsOf(fields).flatMap(({ field, path, holdsOther }) => {
    const claims = memberAt(body, path);
    return claims === ABSENT ? [] : [{ field, path, holdsOther, claims }];
  });
  if (!isJsonObject(body) || present.length === 0 || (requireAll && present.length < fields.length))
    throw new SigningError('sign_target_missing', describeMissing(body, fields));

  for (const { field, claims, holdsOther } of present)
    if (!isJsonObject(claims) || holdsOther)
      throw new SigningError(
        'sign_target_invalid',
        isJsonObject(claims)
          ? `field '${field}' holds another field to sign`
          : `field '${field}' holds ${describe(claims)}, not an object with claims`,
      );
  const completed = complete?.(
    new Map(present.map(({ field, claims }) => [field, claims as ClaimSet])),
  );
  const tokens = await signAll(
    present.map(({ field, claims }) => ({
      field,
      claims: completed?.(field) ?? (claims as ClaimSet),
    })),
    sign,
  );
  let signed: Record<string, unknown> = body;
  present.forEach(({ path }, index) => {
    signed = replace(signed, path, tokens[index]);
  });
  return signed;
}

interface Target {
  readonly field: string;
  readonly path: readonly string[];
  /** See {@link overlaps}. */
  readonly holdsOther: boolean;
}

/** The targets by field list. The list of a route lives as long as the route. */
const prepared = new WeakMap<readonly string[], readonly Target[]>();

function targetsOf(fields: readonly string[]): readonly Target[] {
  let targets = prepared.get(fields);
  if (targets === undefined) {
    targets = fields.map((field) => ({
      field,
      path: field.split('.'),
      holdsOther: overlaps(field, fields),
    }));
    prepared.set(fields, targets);
  }
  return targets;
}

/** Signs all claim sets. Returns no promise if all of them were signed synchronously, e.g. by HMAC. */
function signAll(
  claimSets: readonly { field: string; claims: ClaimSet }[],
  sign: (claims: ClaimSet, field: string) => string | Promise<string>,
): readonly string[] | Promise<readonly string[]> {
  const tokens: (string | Promise<string>)[] = [];
  try {
    for (const { field, claims } of claimSets) tokens.push(sign(claims, field));
  } catch (error) {
    // Waits for the signatures that have begun, so that none of them rejects without a handler.
    return Promise.allSettled(tokens.map(settle)).then(() => Promise.reject(error as Error));
  }
  return tokens.every((token) => typeof token === 'string')
    ? tokens
    : Promise.all(tokens.map(settle));
}

const settle = (token: string | Promise<string>): Promise<string> => Promise.resolve(token);

/** True when `field` contains another field to sign. No answer could have both tokens. */
export const overlaps = (field: string, fields: readonly string[]): boolean =>
  fields.some((other) => other.startsWith(`${field}.`));

function replace(
  body: Record<string, unknown>,
  [name = '', ...rest]: readonly string[],
  token: unknown,
): Record<string, unknown> {
  const value =
    rest.length === 0 ? token : replace(body[name] as Record<string, unknown>, rest, token);
  // A computed member in a literal defines an own property, also for `__proto__`.
  return ofSameClass(body, { ...body, [name]: value });
}

/** Gives a copy the class of the original. Serializers that run after the signing depend on it. */
export function ofSameClass(
  original: object,
  copy: Record<string, unknown>,
): Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(original);
  return prototype === Object.prototype
    ? copy
    : (Object.setPrototypeOf(copy, prototype as object) as typeof copy);
}

function describeMissing(body: unknown, fields: readonly string[]): string {
  const seen = isJsonObject(body) ? Object.keys(body).slice(0, 20).join(', ') : undefined;
  return (
    `fields to sign: ${fields.join(', ')}; ` +
    (seen === undefined
      ? `the answer is ${describe(body)}, not an object`
      : `fields seen: ${seen === '' ? 'none' : seen}`)
  );
}

const describe = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
