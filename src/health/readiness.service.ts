import { Injectable } from '@nestjs/common';
import { GatewayException } from '../http/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { Revocations } from '../state/index.js';

/** Whether the process should get requests. */
@Injectable()
export class Readiness {
  private closing = false;

  constructor(
    private readonly keys: JwkKeyStore,
    private readonly revocations: Revocations,
  ) {}

  /** True from the moment the process was told to end. */
  get shuttingDown(): boolean {
    return this.closing;
  }

  /** True while what has to write is answered with 503: the state store answers questions only. */
  get stateReadOnly(): boolean {
    return this.revocations.readOnly !== undefined;
  }

  /** From now on the process wants no new requests. */
  beginShutdown(): void {
    this.closing = true;
  }

  /**
   * @throws GatewayException 503 `shutting_down` or `keys_unavailable`
   * @throws StateUnavailableException 503, when the revocations are older than they may be, or the clock is too far from the store's
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
