import type { IncomingMessage } from 'node:http';
import type { ClaimSet } from '../core/sign/sign-fields.js';

/** A part in the signing of one answer, for code that issues tokens as parts of a session. */
export interface SigningSession {
  /**
   * Completes all claim sets of the answer before they are stamped and signed.
   *
   * @param claimSets by field
   * @returns the claim set of one field
   */
  complete?(claimSets: ReadonlyMap<string, ClaimSet>): (field: string) => ClaimSet;
  /**
   * Called with the signed answer before it leaves.
   *
   * @returns what leaves instead; the same, usually. What it throws is answered as an error.
   */
  commit?(answer: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** The answer to a repeated request: signed when it was made, so it leaves as it is. */
export class SignedAnswer {
  constructor(readonly body: Record<string, unknown>) {}
}

const SESSION = Symbol('signet.signing-session');
type WithSession = IncomingMessage & { [SESSION]?: SigningSession };

/** Takes part in the signing of the answer to `request`; called by its handler, before it returns. */
export function joinSigning(request: IncomingMessage, session: SigningSession): void {
  (request as WithSession)[SESSION] = session;
}

export const signingSession = (request: IncomingMessage): SigningSession | undefined =>
  (request as WithSession)[SESSION];
