import { claimHeaderProblems } from '../../core/verify/index.js';
import type { Validator } from './krakend-config.js';

/** The part of `propagate_claims` that is taken over. */
export interface Propagation {
  /** Headers by claim. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Why the other claims are not taken over, a line each. */
  readonly dropped: readonly string[];
}

/** Takes over `propagate_claims`. A header has only one claim, and some headers must not carry claims. */
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
