import { types } from 'node:util';
import { SigningError } from '../core/sign/index.js';

/** Nesting levels of an answer. A deeper one is refused. */
const MAX_DEPTH = 1000;
/** Nesting levels that {@link isJsonShape} looks at. A deeper answer is copied by {@link toJsonShape}. */
const QUICK_DEPTH = 32;

const { isRawJSON } = JSON as unknown as { isRawJSON(this: void, value: unknown): boolean };

/** True for an object without a class: a literal, or one without a prototype. */
export function isLiteral(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** True for a value that {@link toJsonShape} would not change: no classes, no `toJSON()`, nothing but JSON. */
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

/** True for built-in objects, which `JSON.stringify` writes as text or as `{}`. */
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

/** True for an object with members: no list, no raw number, no `Date`, `Map`, `Buffer` or other built-in object. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !isRawJSON(value) &&
  !isBuiltIn(value);

type WithToJson = { toJSON?: unknown };

/** Raw numbers (`JSON.rawJSON`) by the symbol that replaces them, since serializers would treat them as objects. */
const rawNumbers = new WeakMap<symbol, object>();

function wrapRaw(number: object): symbol {
  const symbol = Symbol('raw number');
  rawNumbers.set(symbol, number);
  return symbol;
}

/**
 * Replaces each object that has `toJSON()` by the result of that method, at any depth. Objects without one in them stay
 * the same objects. The result goes to serializers and then to {@link toJsonShape}, which unwraps the raw numbers.
 *
 * @param keepsClass true for objects whose result gets their class again, so that its decorators still apply
 * @param ancestors the objects around `value`
 */
export function applyToJson(
  value: unknown,
  keepsClass: (object: object) => boolean,
  key = '',
  ancestors = new Set<unknown>(),
): unknown {
  if (isRawJSON(value)) return wrapRaw(value as object);
  if (!(isRecord(value) || Array.isArray(value)) || ancestors.has(value)) return value;
  if (ancestors.size > MAX_DEPTH) throw tooDeep();
  ancestors.add(value);
  try {
    const { toJSON } = value as WithToJson;
    if (typeof toJSON !== 'function') return withMembers(value, keepsClass, ancestors);
    const result: unknown = Reflect.apply(toJSON, value, [key]);
    if (!(isRecord(result) || Array.isArray(result))) return result;
    const members = withMembers(result, keepsClass, ancestors);
    return keepsClass(value) && isRecord(members)
      ? copyWithPrototype(members, Object.getPrototypeOf(value) as object)
      : members;
  } finally {
    ancestors.delete(value);
  }
}

/** A copy whose members went through {@link applyToJson}; `value` itself where none of them changed. */
function withMembers(
  value: Record<string, unknown> | unknown[],
  keepsClass: (object: object) => boolean,
  ancestors: Set<unknown>,
): unknown {
  const changed = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const result = applyToJson(member, keepsClass, name, ancestors);
    if (result !== member) changed.set(name, result);
  }
  if (changed.size === 0) return value;
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      changed.has(String(index)) ? changed.get(String(index)) : item,
    );
  const copy = copyWithPrototype(value, Object.getPrototypeOf(value) as object | null);
  for (const [name, member] of changed) define(copy, name, member);
  return copy;
}

function copyWithPrototype(
  members: Record<string, unknown>,
  prototype: object | null,
): Record<string, unknown> {
  const copy = Object.create(prototype) as Record<string, unknown>;
  for (const [name, member] of Object.entries(members)) define(copy, name, member);
  return copy;
}

/** Sets an own member. An assignment would not do so for `__proto__`. */
const define = (object: object, name: string, value: unknown): void => {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
};

/** Options of {@link toJsonShape}. */
export interface JsonShapeOptions {
  /** The fields to sign; dots reach nested fields. Built-in objects are refused in them. */
  readonly fields: readonly string[];
  /** Gives the value that replaces an object. Default: the object itself. */
  readonly toPlain?: (object: object) => unknown;
  /** Creates the copy of an object, without members. Default: an object literal. */
  readonly createObject?: () => Record<string, unknown>;
}

/**
 * Copies an answer into plain objects with the members that `JSON.stringify` would write. Outside of the fields to
 * sign, built-in objects (`Date`, `Map`) are not copied.
 *
 * @throws SigningError `sign_target_invalid`, which names the field, for a BigInt, for an object that contains itself,
 * and for a built-in object in a field to sign
 */
export function toJsonShape(value: unknown, options: JsonShapeOptions): unknown {
  return shape(value, [], false, new Set(), options);
}

/**
 * @param inClaims true within a field to sign
 * @param ancestors the objects around `value`
 */
function shape(
  value: unknown,
  path: readonly string[],
  inClaims: boolean,
  ancestors: Set<unknown>,
  options: JsonShapeOptions,
): unknown {
  if (typeof value === 'bigint' && !('toJSON' in BigInt.prototype))
    throw invalid(path, 'holds a BigInt, for which JSON has no number');
  if (typeof value === 'bigint') return (Object(value) as { toJSON(): unknown }).toJSON();
  if (typeof value === 'symbol') return rawNumbers.get(value);
  if (value === null || typeof value !== 'object' || isRawJSON(value))
    return typeof value === 'function' ? undefined : value;
  if (ancestors.has(value)) throw invalid(path, 'holds an object that holds itself');
  if (ancestors.size > MAX_DEPTH) throw tooDeep();
  const isSigned = inClaims || options.fields.includes(path.join('.'));
  ancestors.add(value);
  const shapeMember = (member: unknown, name: string): unknown =>
    shape(member, [...path, name], isSigned, ancestors, options);
  try {
    if (Array.isArray(value))
      return value.map((item, index) => shapeMember(item, String(index)) ?? null);
    if (!isRecord(value)) {
      if (!isSigned) return value;
      const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
      throw invalid(path, `holds a ${kind}; claims hold text, numbers, lists and objects`);
    }
    const plain = options.toPlain?.(value) ?? value;
    if (plain !== value)
      return shape(plain, path, inClaims, ancestors, { ...options, toPlain: undefined });
    const copy = options.createObject?.() ?? {};
    for (const [name, member] of Object.entries(value)) {
      const shaped = shapeMember(member, name);
      if (shaped !== undefined) define(copy, name, shaped);
    }
    return copy;
  } finally {
    ancestors.delete(value);
  }
}

const invalid = (path: readonly string[], what: string): SigningError =>
  new SigningError(
    'sign_target_invalid',
    path.length === 0 ? `the answer ${what}` : `field '${path.join('.')}' ${what}`,
  );

const tooDeep = (): SigningError =>
  new SigningError('sign_target_invalid', `the answer nests deeper than ${MAX_DEPTH} levels`);
