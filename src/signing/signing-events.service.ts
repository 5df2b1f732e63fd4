import { Injectable } from '@nestjs/common';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** What is told about a token that was signed. */
export interface SignedTokenEvent {
  readonly alg: JwsAlgorithm;
  readonly kid: string;
  /** `typ` header. */
  readonly typ: string;
  /** Claim `exp` as it was signed: a number, or a raw number (see `toNumber`), or absent. */
  readonly exp: unknown;
}

/** Tells others about every token that is signed, before anybody else has it. */
@Injectable()
export class SigningEvents {
  private readonly listeners: ((token: SignedTokenEvent) => void)[] = [];

  /** @param listener called within the request; must be quick and must not throw */
  onSigned(listener: (token: SignedTokenEvent) => void): void {
    this.listeners.push(listener);
  }

  /** For the signer. */
  tell(token: SignedTokenEvent): void {
    for (const listener of this.listeners) listener(token);
  }
}
