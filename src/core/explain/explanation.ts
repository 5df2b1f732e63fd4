/** One check of a token. */
export interface ExplainedCheck {
  readonly check: string;
  readonly verdict: 'passed' | 'refused' | 'not checked';
  /** Code of the error table. */
  readonly code?: string;
  /** The checked value of the token, as far as it may be shown. */
  readonly found?: string;
  /** What was expected and what was found, or why the check was not made. */
  readonly reason?: string;
  /** What to do about it. */
  readonly fix?: string;
  /** The keys that were available, one line each: the kids of the set, and the skipped keys with the reason. */
  readonly notes?: readonly string[];
}

/** Why a token is accepted or refused. Never contains the token or a key. */
export interface Explanation {
  /** True if a request with this token would pass a route with `@RequireJwt` without options. */
  readonly accepted: boolean;
  /** Code of the refusal. */
  readonly code?: string;
  readonly checks: readonly ExplainedCheck[];
}

/** Returns an explanation whose reasons, advice and notes are replaced by `reword`. */
export const rewordExplanation = (
  explanation: Explanation,
  reword: (text: string) => string,
): Explanation => ({
  ...explanation,
  checks: explanation.checks.map((check) => ({
    ...check,
    ...(check.reason === undefined ? {} : { reason: reword(check.reason) }),
    ...(check.fix === undefined ? {} : { fix: reword(check.fix) }),
    ...(check.notes === undefined ? {} : { notes: check.notes.map(reword) }),
  })),
});

/** Quotes a text of the token, cut after 60 characters since any client may have written it. */
export const shown = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
