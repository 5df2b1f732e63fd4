import { Injectable } from '@nestjs/common';
import { GatewayException } from '../http/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { Revocations } from '../state/index.js';

/** Tells whether the process can serve requests. */
@Injectable()
export class Readiness {
  private closing = false;

  constructor(
    private readonly keys: JwkKeyStore,
    private readonly revocations: Revocations,
  ) {}

  /** True after {@link beginShutdown}. */
  get shuttingDown(): boolean {
    return this.closing;
  }

  /** True while the state store takes no writes: refresh, revocation and logout are answered with 503. */
  get stateReadOnly(): boolean {
    return this.revocations.readOnly !== undefined;
  }

  /** Makes the process not ready from now on. */
  beginShutdown(): void {
    this.closing = true;
  }

  /**
   * @throws GatewayException 503 `shutting_down` or `keys_unavailable`
   * @throws StateUnavailableException 503 when the revocations are too old, or the clock differs too much from that of
   * the store
   */
  assertReady(): void {
    if (this.closing)
      throw new GatewayException({
        status: 503,
        error: 'temporarily_unavailable',
        code: 'shutting_down',
        description: 'The gateway is shutting down.',
      });
    if (!this.keys.ready())
      throw new GatewayException({
        status: 503,
        error: 'temporarily_unavailable',
        code: 'keys_unavailable',
        description: 'A set of keys has not arrived yet.',
      });
    this.revocations.assertReady();
  }
}
