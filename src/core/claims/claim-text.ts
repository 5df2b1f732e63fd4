import { toNumber } from '../json/index.js';

/**
 * A scalar claim as text: a string as it is, numbers with all their digits, booleans by name.
 * `undefined` for lists, objects and null.
 */
export function claimText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  // JSON.stringify keeps all the digits of a raw number.
  return typeof value === 'boolean' || toNumber(value) !== undefined
    ? JSON.stringify(value)
    : undefined;
}
