import { types } from 'node:util';
import { SigningError } from '../core/sign/index.js';

/** Levels of an answer; what nests deeper is not walked through, and not signed. */
const MAX_DEPTH = 1000;
/** Levels that are looked through to see that there is nothing but JSON; deeper ones take the longer way. */
const QUICK_DEPTH = 32;

const { isRawJSON } = JSON as unknown as { isRawJSON(this: void, value: unknown): boolean };

/** True for an object literal, also one without a prototype. */
export function isLiteral(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** True for what {@link toJsonShape} would leave as it is: nothing has a class, nothing hides anything. */
export function isJsonShape(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return true;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= QUICK_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isJsonShape(item, depth + 1));
  if (!isLiteral(value)) return false;
  if (isRawJSON(value)) return true;
  if (typeof value.toJSON === 'function') return false;
  for (const name in value) if (!isJsonShape(value[name], depth + 1)) return false;
  return true;
}

/** What JSON writes as text of its own, or not at all. */
const isBuiltIn = (value: object): boolean =>
  types.isDate(value) ||
  types.isMap(value) ||
  types.isSet(value) ||
  types.isWeakMap(value) ||
  types.isWeakSet(value) ||
  types.isAnyArrayBuffer(value) ||
  types.isArrayBufferView(value) ||
  types.isRegExp(value) ||
  types.isPromise(value) ||
  types.isBoxedPrimitive(value);

/** What has members of its own: no list, no raw number, no `Date`, `Map`, `Buffer` and the like. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !isRawJSON(value) &&
  !isBuiltIn(value);

type WithToJson = { toJSON?: unknown };

/** Raw numbers on their way through serializers, which would look into them. */
const rawNumbers = new WeakMap<symbol, object>();

function wrapRaw(number: object): symbol {
  const symbol = Symbol('raw number');
  rawNumbers.set(symbol, number);
  return symbol;
}

/**
 * Objects in the place of which `toJSON()` puts something else become that, at whatever depth; what has none
 * stays the very same object. What comes of it has the class of the object again where `keepsClass` says so.
 * Only {@link toJsonShape} takes what comes of it: raw numbers are wrapped.
 */
export function applyToJson(
  value: unknown,
  keepsClass: (object: object) => boolean,
  key = '',
  open = new Set<unknown>(),
): unknown {
  if (isRawJSON(value)) return wrapRaw(value as object);
  if (!(isRecord(value) || Array.isArray(value)) || open.has(value)) return value;
  if (open.size > MAX_DEPTH) throw tooDeep();
  open.add(value);
  try {
    const { toJSON } = value as WithToJson;
    if (typeof toJSON !== 'function') return withMembers(value, keepsClass, open);
    const shown: unknown = Reflect.apply(toJSON, value, [key]);
    if (!(isRecord(shown) || Array.isArray(shown))) return shown;
    const members = withMembers(shown, keepsClass, open);
    const reclassed = keepsClass(value) && isRecord(members);
    return reclassed ? reclass(members, Object.getPrototypeOf(value) as object) : members;
  } finally {
    open.delete(value);
  }
}

function withMembers(
  value: Record<string, unknown> | unknown[],
  keepsClass: (object: object) => boolean,
  open: Set<unknown>,
): unknown {
  const changed = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const shown = applyToJson(member, keepsClass, name, open);
    if (shown !== member) changed.set(name, shown);
  }
  if (changed.size === 0) return value;
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      changed.has(String(index)) ? changed.get(String(index)) : item,
    );
  const copy = reclass(value, Object.getPrototypeOf(value) as object | null);
  for (const [name, shown] of changed) define(copy, name, shown);
  return copy;
}

function reclass(members: Record<string, unknown>, prototype: object | null) {
  const copy = Object.create(prototype) as Record<string, unknown>;
  for (const [name, member] of Object.entries(members)) define(copy, name, member);
  return copy;
}

/** An own member, also for `__proto__`. */
const define = (object: object, name: string, value: unknown): void => {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
};

/** How {@link toJsonShape} makes its values. */
export interface JsonShapeOptions {
  /** Fields to sign; dots reach nested ones. Claims know nothing but JSON. */
  readonly fields: readonly string[];
  /** What an object shows instead of itself. Default: its own members. */
  readonly show?: (object: object) => unknown;
  /** Makes the object that takes the members of another one. Default: an object literal. */
  readonly create?: () => Record<string, unknown>;
}

/**
 * An answer in objects without a class, as `JSON.stringify` would write it. What has no place in JSON but a
 * text of its own (`Date`) stays as it is, though not in claims.
 *
 * @throws SigningError `sign_target_invalid`, naming the field, for a BigInt or a value that holds itself,
 * and for a `Date`, a `Map` and the like in claims
 */
export function toJsonShape(value: unknown, options: JsonShapeOptions): unknown {
  return shape(value, [], false, new Set(), options);
}

function shape(
  value: unknown,
  path: readonly string[],
  inClaims: boolean,
  open: Set<unknown>,
  options: JsonShapeOptions,
): unknown {
  if (typeof value === 'bigint' && !('toJSON' in BigInt.prototype))
    throw invalid(path, 'holds a BigInt, for which JSON has no number');
  if (typeof value === 'bigint') return (Object(value) as { toJSON(): unknown }).toJSON();
  if (typeof value === 'symbol') return rawNumbers.get(value);
  if (value === null || typeof value !== 'object' || isRawJSON(value))
    return typeof value === 'function' ? undefined : value;
  if (open.has(value)) throw invalid(path, 'holds an object that holds itself');
  if (open.size > MAX_DEPTH) throw tooDeep();
  const isSigned = inClaims || options.fields.includes(path.join('.'));
  open.add(value);
  const of = (member: unknown, name: string): unknown =>
    shape(member, [...path, name], isSigned, open, options);
  try {
    if (Array.isArray(value)) return value.map((item, index) => of(item, String(index)) ?? null);
    if (!isRecord(value)) {
      if (!isSigned) return value;
      const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
      throw invalid(path, `holds a ${kind}; claims hold text, numbers, lists and objects`);
    }
    const shown = options.show?.(value) ?? value;
    if (shown !== value) return shape(shown, path, inClaims, open, { ...options, show: undefined });
    const result = options.create?.() ?? {};
    for (const [name, member] of Object.entries(value)) {
      const written = of(member, name);
      if (written !== undefined) define(result, name, written);
    }
    return result;
  } finally {
    open.delete(value);
  }
}

const invalid = (path: readonly string[], what: string): SigningError =>
  new SigningError(
    'sign_target_invalid',
    path.length === 0 ? `the answer ${what}` : `field '${path.join('.')}' ${what}`,
  );

const tooDeep = (): SigningError =>
  new SigningError('sign_target_invalid', `the answer nests deeper than ${MAX_DEPTH} levels`);
