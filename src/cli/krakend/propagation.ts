import { claimHeaderProblems } from '../../core/verify/index.js';
import type { Validator } from './krakend-config.js';

/** What of `propagate_claims` is taken over. */
export interface Propagation {
  /** Headers by claim. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why others are not, a line each. */
  readonly dropped: readonly string[];
}

/** Headers have one claim each, and some are not for claims. */
export function propagationOf({ propagateClaims }: Validator): Propagation {
  const headers: Record<string, string> = {};
  const dropped: string[] = [];
  for (const [claim, header] of propagateClaims) {
    const [problem] = claimHeaderProblems({ ...headers, [claim]: header });
    if (Object.hasOwn(headers, claim))
      dropped.push(
        `propagate_claims: ${claim} went to several headers; only ${headers[claim]} is set`,
      );
    else if (problem !== undefined) dropped.push(`propagate_claims: ${problem}; it is left out`);
    else headers[claim] = header;
  }
  return { headers, dropped };
}
