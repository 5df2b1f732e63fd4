import { readClaim, claimText } from '../claims/index.js';
import { claimHeaderProblem, foldHeader, type BackendHeaders } from '../headers/index.js';
import { TokenRefusedError } from '../errors/index.js';

/** Claims by name (dots reach nested ones), and the backend header that each becomes. */
export type ClaimHeaders = Readonly<Record<string, string>>;

/** What {@link ClaimHeaders} means, compiled: claim and lower-case header. */
export type ClaimHeaderList = readonly (readonly [claim: string, header: string])[];

/** `claim:header` pairs as {@link ClaimHeaders}; claims may be URLs, so the last colon counts. */
export const parseClaimHeaders = (pairs: readonly string[]): ClaimHeaders =>
  Object.fromEntries(
    pairs.map((pair) => {
      const colon = pair.lastIndexOf(':');
      return [pair.slice(0, colon), pair.slice(colon + 1)];
    }),
  );

/** The problems of claim headers, one line each: reserved names, and names that are one to a backend. */
export function claimHeaderProblems(claimHeaders: ClaimHeaders): string[] {
  const seen = new Set<string>();
  return Object.values(claimHeaders).flatMap((header) => {
    const problem =
      claimHeaderProblem(header) ??
      (seen.has(foldHeader(header)) ? `names header '${header}' twice` : undefined);
    seen.add(foldHeader(header));
    return problem ?? [];
  });
}

/**
 * The headers that verified claims become. A claim that is absent or null gives none. Text is
 * percent-encoded where it is not printable ASCII, and so is `%`: a claim cannot end the header line and
 * is read in one way. List items are joined by commas, commas within them are encoded. Objects become
 * JSON in ASCII. Numbers keep all their digits.
 *
 * @throws TokenRefusedError `claim_invalid` for text that is not valid Unicode
 */
export function claimsToHeaders(
  claims: Readonly<Record<string, unknown>>,
  list: ClaimHeaderList,
): BackendHeaders {
  const headers: Record<string, string> = {};
  for (const [claim, header] of list) {
    const value = readClaim(claims, claim, true);
    if (value !== undefined && value !== null) headers[header] = headerText(claim, value);
  }
  return headers;
}

function headerText(claim: string, value: unknown): string {
  if (Array.isArray(value))
    return value.map((item) => encode(claim, claimText(item) ?? asciiJson(item), true)).join(',');
  const text = claimText(value);
  return text === undefined ? asciiJson(value) : encode(claim, text, false);
}

const ENCODED = /[^\x20-\x7e]+|%/g;
const ENCODED_IN_LIST = /[^\x20-\x7e]+|[%,]/g;
const BLANK = '%20';

/** In time that grows with the length only, whatever the text. */
function encode(claim: string, text: string, inList: boolean): string {
  if (!text.isWellFormed())
    throw new TokenRefusedError('claim_invalid', `claim '${claim}' is not valid Unicode`);
  // Blanks at either end would be trimmed away on the way.
  let begin = 0;
  while (text[begin] === ' ') begin++;
  let end = text.length;
  while (end > begin && text[end - 1] === ' ') end--;
  const inner = text
    .slice(begin, end)
    .replace(inList ? ENCODED_IN_LIST : ENCODED, encodeURIComponent);
  return BLANK.repeat(begin) + inner + BLANK.repeat(text.length - end);
}

/** `JSON.stringify` escapes control characters and lone surrogates already. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
