import { Injectable } from '@nestjs/common';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** A token that was signed; not the token itself. */
export interface SignedTokenEvent {
  readonly alg: JwsAlgorithm;
  readonly kid: string;
  /** Header parameter `typ`. */
  readonly typ: string;
  /** The claim `exp`: a number, a raw number (see `toNumber`), or `undefined`. */
  readonly exp: unknown;
}

/** Calls listeners for each token that is signed, before the token is sent. */
@Injectable()
export class SigningEvents {
  private readonly listeners: ((token: SignedTokenEvent) => void)[] = [];

  /** @param listener is called within the request, so it must be fast and must not throw */
  onSigned(listener: (token: SignedTokenEvent) => void): void {
    this.listeners.push(listener);
  }

  /** Called by `JwtSigner` for each token. */
  tell(token: SignedTokenEvent): void {
    for (const listener of this.listeners) listener(token);
  }
}
