import { claimHeaderProblems } from '../../core/verify/index.js';
import type { Validator } from './krakend-config.js';

/** What of `propagate_claims` is taken over. */
export interface Propagation {
  /** Headers by claim. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Why others are not, a line each. */
  readonly dropped: readonly string[];
}

/** A header has one claim, and some are not for claims. */
export function propagationOf({ propagateClaims }: Validator): Propagation {
  const headers: Record<string, string[]> = {};
  const dropped: string[] = [];
  for (const [claim, header] of propagateClaims) {
    const more = { ...headers, [claim]: [...(headers[claim] ?? []), header] };
    const [problem] = claimHeaderProblems(more);
    if (problem === undefined) Object.assign(headers, more);
    else dropped.push(`propagate_claims: ${problem}; it is left out`);
  }
  return {
    headers: Object.fromEntries(
      Object.entries(headers).map(([claim, names]) => [
        claim,
        names.length === 1 ? (names[0] ?? '') : names,
      ]),
    ),
    dropped,
  };
}
