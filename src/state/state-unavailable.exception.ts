import { GatewayException } from '../http/index.js';

/** 503 `state_unavailable`: the state store does not answer, so nothing can be decided safely. */
export class StateUnavailableException extends GatewayException {
  /** @param explanation what failed, without credentials and contents */
  constructor(explanation: string, cause?: unknown) {
    super({
      status: 503,
      error: 'temporarily_unavailable',
      code: 'state_unavailable',
      description: 'The state store is not available.',
      explanation,
      headers: { 'Retry-After': '1' },
      cause,
    });
  }
}

/**
 * 503 `state_unavailable`: the state store answers reads, but refused this write. It is full, a replica, or on a disk
 * that cannot be written. Nothing was written.
 */
export class StateReadOnlyException extends StateUnavailableException {}

/**
 * 503 `state_unavailable`: the state store was restarted and is loading its data. It does not answer yet, and accepts
 * nothing from any process. So what was read from it before is still complete, except for the last moments before the
 * restart.
 */
export class StateLoadingException extends StateUnavailableException {}
