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
 * 503 `state_unavailable`: the state store answers questions, but takes no writes, and this was one. It is
 * full, a replica, or on a disk that cannot be written. Nothing of the write has happened.
 */
export class StateReadOnlyException extends StateUnavailableException {}

/**
 * 503 `state_unavailable`: the state store was started again and is reading its data. It does not answer yet, and takes
 * nothing from anybody: what was seen of it before is still all that it says, but for the last moments.
 */
export class StateLoadingException extends StateUnavailableException {}
