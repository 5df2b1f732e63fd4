import { REVOCATION_KINDS, type RevocationKind } from '../core/revocation/index.js';

/** How a value is written: what most values are takes less than half of its text. */
const TEXT = 0;
const UUID = 1;
const DIGEST = 2;
const WORDS_OF = [0, 4, 8] as const;

const UUID_FORM = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const DIGEST_PREFIX = 'sha256:';
const DIGEST_LENGTH = DIGEST_PREFIX.length + 43;

/** Kind and form of a value, and the value, as words. */
export interface Name {
  /** Holds kind and form, in the lowest bits. */
  readonly head: number;
  readonly words: Uint32Array;
}

const wordsOf = (bytes: Buffer): Uint32Array => {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
};

const textOf = (words: Uint32Array, bytes = words.byteLength): Buffer =>
  Buffer.from(words.buffer, words.byteOffset, bytes);

/** Writes a name as words; the same name gives the same words. */
export function encodeName(kind: RevocationKind, value: string): Name {
  const [form, words] = encodeValue(value);
  return { head: REVOCATION_KINDS.indexOf(kind) | (form << 2), words };
}

function encodeValue(value: string): [form: number, words: Uint32Array] {
  if (value.length === 36 && UUID_FORM.test(value))
    return [UUID, wordsOf(Buffer.from(value.replaceAll('-', ''), 'hex'))];
  if (value.length === DIGEST_LENGTH && value.startsWith(DIGEST_PREFIX)) {
    const text = value.slice(DIGEST_PREFIX.length);
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length === 32 && bytes.toString('base64url') === text)
      return [DIGEST, wordsOf(bytes)];
  }
  return [TEXT, encodeText(value)];
}

/** The number of bytes, and UTF-8. */
export function encodeText(text: string): Uint32Array {
  const bytes = Buffer.from(text);
  const words = new Uint32Array(1 + Math.ceil(bytes.length / 4));
  words[0] = bytes.length;
  new Uint8Array(words.buffer, 4).set(bytes);
  return words;
}

/** @param words that {@link encodeText} made, and maybe more of them */
export const decodeText = (words: Uint32Array): string =>
  textOf(words.subarray(1), words[0]).toString();

/** Words that {@link encodeText} made, by the first one. */
export const textWords = (first: number): number => 1 + Math.ceil(first / 4);

/** Words of the name of a record. @param first first one of its value */
export const nameWords = (head: number, first: number): number =>
  WORDS_OF[(head >>> 2) & 3] || textWords(first);

/** @param words of the value, and maybe more of them */
export function decodeName(
  head: number,
  words: Uint32Array,
): [kind: RevocationKind, value: string] {
  const kind = REVOCATION_KINDS[head & 3] as RevocationKind;
  switch ((head >>> 2) & 3) {
    case UUID: {
      const hex = textOf(words, 16).toString('hex');
      return [kind, hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')];
    }
    case DIGEST:
      return [kind, DIGEST_PREFIX + textOf(words, 32).toString('base64url')];
    default:
      return [kind, decodeText(words)];
  }
}
