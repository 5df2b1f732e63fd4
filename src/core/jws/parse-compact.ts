import { isUtf8 } from 'node:buffer';
import { hasDuplicateMembers, isJsonObject } from '../json/index.js';
import { TokenRefusedError } from '../errors/index.js';
import { decodeBase64url } from './base64url.js';

/** Default length of the longest token that is read or signed, in characters. */
export const MAX_TOKEN_LENGTH = 16_384;

/** The header members that are read. Others (`jku`, `jwk`, `x5u`, `x5c`, …) are ignored: no key is taken from them. */
export interface JwsHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  /** SHA-1 and SHA-256 thumbprints of the certificate of the key (RFC 7515 sections 4.1.7 and 4.1.8). */
  readonly x5t?: string;
  readonly x5tS256?: string;
}

/** The parts of a compact JWS. None of them can be trusted before the signature is verified. */
export interface CompactJws {
  readonly header: JwsHeader;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** The signed text: header and payload as they were sent. */
  readonly signingInput: string;
}

const malformed = (explanation: string): TokenRefusedError =>
  new TokenRefusedError('token_malformed', explanation);

/**
 * Splits a compact JWS into its parts (RFC 7515 section 5.2, steps 1 to 7) and accepts only one encoding of it.
 *
 * @param maxLength length of the longest token that is read, in characters
 * @throws TokenRefusedError `token_malformed` when it is too long, not three base64url parts, or its header
 * is not an object with unique members, a string `alg`, and neither `crit` nor `b64`
 */
export function parseCompact(token: string, maxLength = MAX_TOKEN_LENGTH): CompactJws {
  if (token.length > maxLength)
    throw malformed(`${token.length} characters long; at most ${maxLength} are looked at`);
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first <= 0 || second < 0 || token.includes('.', second + 1))
    throw malformed('not three parts separated by dots');

  const headerText = token.slice(0, first);
  const known = knownHeaders.get(headerText);
  const headerBytes = known === undefined ? decodeBase64url(headerText) : NO_BYTES;
  const payload = decodeBase64url(token.slice(first + 1, second));
  const signature = decodeBase64url(token.slice(second + 1));
  if (headerBytes === undefined || payload === undefined || signature === undefined)
    throw malformed('a part is not base64url without padding');
  return {
    header: known ?? readHeader(headerBytes),
    payload,
    signature,
    signingInput: token.slice(0, second),
  };
}

/** Matches a text of {@link flattenedForm}: no blanks, no other members. */
const FLATTENED = /^\{"payload":"([\w-]+)","protected":"([\w-]+)","signature":"([\w-]+)"\}$/;

/** Makes flattened JWS JSON (RFC 7515 section 7.2.2), in the form that Signet and KrakenD write. */
export const flattenedForm = (header: string, payload: string, signature: string): string =>
  JSON.stringify({ payload, protected: header, signature });

/** Returns the compact form of a text of {@link flattenedForm}, and any other text unchanged. */
export const compactForm = (token: string): string =>
  token.startsWith('{') ? token.replace(FLATTENED, '$2.$1.$3') : token;

/**
 * True for a text that looks like a compact JWS: three parts, of which the first is a JSON object in base64url.
 * Nothing else is checked.
 */
export function isCompactJws(text: string): boolean {
  const [header = '', ...others] = text.split('.', 4);
  if (others.length !== 2) return false;
  try {
    return isJsonObject(JSON.parse(Buffer.from(header, 'base64url').toString()));
  } catch {
    return false;
  }
}

const NO_BYTES = Buffer.alloc(0);
const MOST_KNOWN = 100;
const LONGEST_KNOWN = 500;
/** Valid headers by their text. All tokens of a key have the same one. Figures: bench/README.md, 2026-11-28. */
const knownHeaders = new Map<string, JwsHeader>();

/** Parses a header and caches it. A client that sends many different headers only makes others be parsed again. */
function readHeader(bytes: Buffer): JwsHeader {
  const header = Object.freeze(parseHeader(bytes));
  // A slice of the token as the key would keep the whole token in memory.
  const text = bytes.toString('base64url');
  if (text.length <= LONGEST_KNOWN) {
    if (knownHeaders.size >= MOST_KNOWN) knownHeaders.clear();
    knownHeaders.set(text, header);
  }
  return header;
}

function parseHeader(bytes: Buffer): JwsHeader {
  const header = parseJsonObject(bytes);
  if (header === undefined) throw malformed('the header is not a JSON object with unique members');
  // No extension is supported, so every critical one is refused (RFC 7515 section 4.1.11),
  // and a JWT must not use the unencoded payload option (RFC 7797 section 7).
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'))
    throw malformed('the header uses crit or b64');
  const { alg, kid, typ, x5t, 'x5t#S256': x5tS256 } = header;
  if (typeof alg !== 'string') throw malformed('the header has no alg');
  if (![kid, typ, x5t, x5tS256].every(isOptionalString))
    throw malformed('kid, typ or x5t in the header is not a string');
  return { alg, kid, typ, x5t, x5tS256 } as JwsHeader;
}

function parseJsonObject(bytes: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && !hasDuplicateMembers(text, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isOptionalString = (value: unknown): boolean =>
  value === undefined || typeof value === 'string';
