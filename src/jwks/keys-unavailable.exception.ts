import { GatewayException } from '../http/index.js';

/** 503 `keys_unavailable`: a key set has not arrived yet, or was dropped because it is too old. */
export class KeysUnavailableException extends GatewayException {
  /** @param source of the set, without secrets */
  constructor(source: string) {
    super({
      status: 503,
      error: 'temporarily_unavailable',
      code: 'keys_unavailable',
      description: 'The keys for tokens are not available at the moment.',
      explanation: `JWK ${source}: no keys yet`,
      headers: { 'Retry-After': '2' },
    });
  }
}
