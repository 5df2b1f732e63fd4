/** One check of a token. */
export interface ExplainedCheck {
  readonly check: string;
  readonly verdict: 'passed' | 'refused' | 'not checked';
  /** Code of the error table. */
  readonly code?: string;
  /** What the token says, as far as it may be shown. */
  readonly found?: string;
  /** What was expected and what was found; or why there was no check. */
  readonly reason?: string;
  /** What to do about it. */
  readonly fix?: string;
  /** What it was checked with, a line each: the keys of the set, which of them are skipped and why. */
  readonly notes?: readonly string[];
}

/** Why a token is accepted or refused. Never holds the token or a key. */
export interface Explanation {
  /** What a request with this token would meet on a bare `@RequireJwt`. */
  readonly accepted: boolean;
  /** Code of the refusal. */
  readonly code?: string;
  readonly checks: readonly ExplainedCheck[];
}

/** The explanation with its reasons and its advice as `reword` puts them. */
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

/** The header is the token's own, so it is shown in part. */
export const shown = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
