import { readClaim, claimText } from '../claims/index.js';
import { claimHeaderProblem, foldHeader, type BackendHeaders } from '../headers/index.js';
import { TokenRefusedError } from '../errors/index.js';

/** Names of claims (dots reach nested ones), each with the backend header or headers that it is sent as. */
export type ClaimHeaders = Readonly<Record<string, string | readonly string[]>>;

/** How claims are written into headers. */
export interface ClaimHeaderFormat {
  /**
   * `percent`: all characters but printable ASCII, and also `%` and commas, are percent-encoded, so that a value is
   * unambiguous. `utf8`: claims are sent as they are, in UTF-8, for backends that expect what KrakenD sends. Then a
   * claim with a control character is refused (`claim_invalid`), and a comma in a text looks like one between items.
   * Default `percent`.
   */
  propagateEncoding?: 'percent' | 'utf8';
  /** `joined`: the items of a list are joined by commas. `repeated`: each item is a header line. Default `joined`. */
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

/** {@link ClaimHeaders}, compiled. */
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

/** Parses `claim:header` pairs. The last colon separates the two, since claims may be URLs. */
export function parseClaimHeaders(pairs: readonly string[]): ClaimHeaders {
  const headersOf = Map.groupBy(pairs, (pair) => pair.slice(0, pair.lastIndexOf(':')));
  return Object.fromEntries(
    headersOf.entries().map(([claim, ofClaim]) => {
      const [first = '', ...others] = ofClaim.map((pair) => pair.slice(claim.length + 1));
      return [claim, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

/** Returns the problems of claim headers, one line each: reserved names, and names that a backend cannot tell apart. */
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
 * Returns the headers for verified claims, in the form of {@link ClaimHeaderFormat}. A claim that is absent or null
 * gives no header. Objects become JSON, numbers keep all their digits.
 *
 * @throws TokenRefusedError `claim_invalid` for a text that is not valid Unicode, or cannot be sent in a header
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

/** The comma is encoded because it separates items. */
const ENCODED = /[^\x20-\x7e]+|[%,]/g;
const BLANK = '%20';

/** Percent-encodes a text in linear time, whatever the text. */
function encoded(text: string): string {
  // HTTP trims blanks at either end of a header, so they are encoded.
  let begin = 0;
  while (text[begin] === ' ') begin++;
  let end = text.length;
  while (end > begin && text[end - 1] === ' ') end--;
  const inner = text.slice(begin, end).replace(ENCODED, encodeURIComponent);
  return BLANK.repeat(begin) + inner + BLANK.repeat(text.length - end);
}

const CONTROL = /\p{Cc}/u;

/** Returns one character per byte of UTF-8: Node.js writes headers as latin1. */
const toBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** Returns JSON in printable ASCII. `JSON.stringify` itself escapes control characters and lone surrogates. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
