import { REVOCATION_KINDS, type RevocationKind } from '../../core/revocation/index.js';

/** Forms of a value. Most values have a form that takes less than half of the space of their text. */
const TEXT = 0;
const UUID = 1;
const DIGEST = 2;
const LOGIN = 3;
const WORDS_OF = [0, 4, 8, 3] as const;

const DIGEST_PREFIX = 'sha256:';
const DIGEST_LENGTH = DIGEST_PREFIX.length + 43;
/**
 * The names of logins without `sid`, see `sessionName`. The ids of the tokens of one login share the first 24
 * characters of a UUID of version 8.
 */
const LOGIN_PREFIX = 'login ';
const LOGIN_LENGTH = LOGIN_PREFIX.length + 24;

/** Kind and form of a value, and the value, as words. */
export interface Name {
  /** Kind and form of the value, in the lowest bits. */
  readonly head: number;
  readonly words: Uint32Array;
}

/** Writes a name as words; the same name gives the same words. */
export function encodeName(kind: RevocationKind, value: string): Name {
  const [form, words] = encodeValue(value);
  return { head: REVOCATION_KINDS.indexOf(kind) | (form << 2), words };
}

function encodeValue(value: string): [form: number, words: Uint32Array] {
  switch (value.length) {
    case 36: {
      const words = new Uint32Array(4);
      if (readUuid(value, words)) return [UUID, words];
      break;
    }
    case LOGIN_LENGTH: {
      const words = new Uint32Array(3);
      if (value.startsWith(LOGIN_PREFIX) && readLogin(value, words)) return [LOGIN, words];
      break;
    }
    case DIGEST_LENGTH: {
      const words = value.startsWith(DIGEST_PREFIX) ? readDigest(value) : undefined;
      if (words !== undefined) return [DIGEST, words];
      break;
    }
  }
  return [TEXT, encodeText(value)];
}

const DASH = 45;
const NO_DIGIT = 16;
/** The value of each hex digit, by character code. Uppercase letters do not count, since they make another name. */
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit++) DIGITS[digit.toString(16).charCodeAt(0)] = digit;

/**
 * Reads the lower-case digits of a UUID, or of the first part of one, into words of eight digits.
 *
 * @returns false if the text is no UUID; the words may hold anything then
 */
export function readUuid(text: string, words: Uint32Array, start = 0): boolean {
  let count = 0;
  let word = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const place = at - start;
    if (place === 8 || place === 13 || place === 18 || place === 23) {
      if (code !== DASH) return false;
      continue;
    }
    const digit = DIGITS[code] ?? NO_DIGIT;
    if (digit === NO_DIGIT) return false;
    word = (word << 4) | digit;
    if ((++count & 7) === 0) words[(count >> 3) - 1] = word;
  }
  // The first part of a UUID ends within a word.
  if ((count & 7) !== 0) words[count >> 3] = word;
  return true;
}

const readLogin = (value: string, words: Uint32Array): boolean =>
  readUuid(value, words, LOGIN_PREFIX.length);

function readDigest(value: string): Uint32Array | undefined {
  const text = value.slice(DIGEST_PREFIX.length);
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== text) return undefined;
  const words = new Uint32Array(8);
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/** Returns the UUID whose digits {@link readUuid} read. */
export function writeUuid(words: Uint32Array): string {
  const hex = Array.from(words.subarray(0, 4), (word) => word.toString(16).padStart(8, '0'));
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function writeLogin(words: Uint32Array): string {
  const [first = 0, second = 0, third = 0] = words;
  const last = (third & 0xffff).toString(16).padStart(4, '0');
  // A whole UUID, with zeros in place of the digits that a login's name does not contain. They are cut off below.
  const whole = writeUuid(Uint32Array.of(first, second, Number.parseInt(`${last}0000`, 16), 0));
  return LOGIN_PREFIX + whole.slice(0, LOGIN_LENGTH - LOGIN_PREFIX.length);
}

const textOf = (words: Uint32Array, bytes = words.byteLength): Buffer =>
  Buffer.from(words.buffer, words.byteOffset, bytes);

/** Encodes a text: the number of its bytes, then its UTF-8 bytes. */
export function encodeText(text: string): Uint32Array {
  const bytes = Buffer.from(text);
  const words = new Uint32Array(1 + Math.ceil(bytes.length / 4));
  words[0] = bytes.length;
  new Uint8Array(words.buffer, 4).set(bytes);
  return words;
}

/** @param words the words that {@link encodeText} made; more may follow */
export const decodeText = (words: Uint32Array): string =>
  textOf(words.subarray(1), words[0]).toString();

/** Number of words that {@link encodeText} made. @param first the first of them */
export const textWords = (first: number): number => 1 + Math.ceil(first / 4);

/** Number of words of a value. @param first the first of them */
export const nameWords = (head: number, first: number): number =>
  WORDS_OF[(head >>> 2) & 3] || textWords(first);

/** @param words the words of the value; more may follow */
export function decodeName(
  head: number,
  words: Uint32Array,
): [kind: RevocationKind, value: string] {
  const kind = REVOCATION_KINDS[head & 3] as RevocationKind;
  switch ((head >>> 2) & 3) {
    case UUID:
      return [kind, writeUuid(words)];
    case LOGIN:
      return [kind, writeLogin(words)];
    case DIGEST:
      return [kind, DIGEST_PREFIX + textOf(words, 32).toString('base64url')];
    default:
      return [kind, decodeText(words)];
  }
}
