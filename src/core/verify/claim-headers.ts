import { readClaim, claimText } from '../claims/index.js';
import { claimHeaderProblem, foldHeader, type BackendHeaders } from '../headers/index.js';
import { TokenRefusedError } from '../errors/index.js';

/** Claims by name (dots reach nested ones), and the backend header, or headers, that each becomes. */
export type ClaimHeaders = Readonly<Record<string, string | readonly string[]>>;

/** How claims are written into headers. */
export interface ClaimHeaderFormat {
  /**
   * `percent`: percent-encoded where a claim is not printable ASCII, and `%` and commas, too: each value is read in
   * one way. `utf8`: as it is, in UTF-8, for backends that expect what KrakenD sends; a claim with a control
   * character is refused then (`claim_invalid`), and a comma in a text is like one between items. Default `percent`.
   */
  propagateEncoding?: 'percent' | 'utf8';
  /** `joined`: the items of a list are joined by commas. `repeated`: each is a header line. Default `joined`. */
  propagateLists?: 'joined' | 'repeated';
}

/** One claim and its header, compiled. */
export interface ClaimHeader {
  readonly claim: string;
  /** Lower case. */
  readonly header: string;
  readonly utf8: boolean;
  readonly repeated: boolean;
}

/** What {@link ClaimHeaders} means, compiled. */
export type ClaimHeaderList = readonly ClaimHeader[];

/** Compiles {@link ClaimHeaders}. */
export const compileClaimHeaders = (
  claimHeaders: ClaimHeaders,
  { propagateEncoding, propagateLists }: ClaimHeaderFormat,
): ClaimHeaderList =>
  Object.entries(claimHeaders).flatMap(([claim, headers]) =>
    [headers].flat().map((header) => ({
      claim,
      header: header.toLowerCase(),
      utf8: propagateEncoding === 'utf8',
      repeated: propagateLists === 'repeated',
    })),
  );

/** `claim:header` pairs as {@link ClaimHeaders}; claims may be URLs, so the last colon counts. */
export function parseClaimHeaders(pairs: readonly string[]): ClaimHeaders {
  const headersOf = Map.groupBy(pairs, (pair) => pair.slice(0, pair.lastIndexOf(':')));
  return Object.fromEntries(
    headersOf.entries().map(([claim, ofClaim]) => {
      const [first = '', ...others] = ofClaim.map((pair) => pair.slice(claim.length + 1));
      return [claim, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

/** The problems of claim headers, one line each: reserved names, and names that are one to a backend. */
export function claimHeaderProblems(claimHeaders: ClaimHeaders): string[] {
  const seen = new Set<string>();
  return Object.values(claimHeaders)
    .flat()
    .flatMap((header) => {
      const problem =
        claimHeaderProblem(header) ??
        (seen.has(foldHeader(header)) ? `names header '${header}' twice` : undefined);
      seen.add(foldHeader(header));
      return problem ?? [];
    });
}

/**
 * The headers that verified claims become, as {@link ClaimHeaderFormat} says. A claim that is absent or null gives
 * none. Objects become JSON, numbers keep all their digits.
 *
 * @throws TokenRefusedError `claim_invalid` for text that is not valid Unicode, or cannot be in a header
 */
export function claimsToHeaders(
  claims: Readonly<Record<string, unknown>>,
  list: ClaimHeaderList,
): BackendHeaders {
  const headers: Record<string, string | string[]> = {};
  for (const one of list) {
    const value = readClaim(claims, one.claim, true);
    if (value === undefined || value === null) continue;
    const items = Array.isArray(value) ? value.map((item) => headerText(one, item)) : undefined;
    headers[one.header] =
      items === undefined
        ? headerText(one, value)
        : one.repeated && items.length > 0
          ? items
          : items.join(',');
  }
  return headers;
}

function headerText({ claim, utf8 }: ClaimHeader, value: unknown): string {
  const text = claimText(value);
  if (text === undefined) return utf8 ? toBytes(JSON.stringify(value)) : asciiJson(value);
  if (!text.isWellFormed())
    throw new TokenRefusedError('claim_invalid', `claim '${claim}' is not valid Unicode`);
  if (!utf8) return encoded(text);
  if (CONTROL.test(text))
    throw new TokenRefusedError(
      'claim_invalid',
      `claim '${claim}' has a control character, which no header can hold`,
    );
  return toBytes(text);
}

/** A comma separates items. */
const ENCODED = /[^\x20-\x7e]+|[%,]/g;
const BLANK = '%20';

/** In time that grows with the length only, whatever the text. */
function encoded(text: string): string {
  // Blanks at either end would be trimmed away on the way.
  let begin = 0;
  while (text[begin] === ' ') begin++;
  let end = text.length;
  while (end > begin && text[end - 1] === ' ') end--;
  const inner = text.slice(begin, end).replace(ENCODED, encodeURIComponent);
  return BLANK.repeat(begin) + inner + BLANK.repeat(text.length - end);
}

const CONTROL = /\p{Cc}/u;

/** A character per byte of UTF-8, as headers are written. */
const toBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** `JSON.stringify` escapes control characters and lone surrogates already. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
