import { GatewayException } from '../http/index.js';

/** 502 `backend_unavailable`: there is no connection, it broke, or the backend was not called. */
export class BackendUnavailableException extends GatewayException {
  constructor(explanation: string) {
    super({
      status: 502,
      error: 'server_error',
      code: 'backend_unavailable',
      description: 'The backend cannot be reached.',
      explanation,
    });
  }
}

/** 502 `backend_bad_response`: the answer of the backend cannot be used. It is never quoted. */
export class BackendBadResponseException extends GatewayException {
  constructor(explanation: string) {
    super({
      status: 502,
      error: 'server_error',
      code: 'backend_bad_response',
      description: 'The backend gave an answer that cannot be used.',
      explanation,
    });
  }
}

/** A {@link BackendBadResponseException} for a 5xx of the backend. */
export class BackendFailedException extends BackendBadResponseException {}

/** 504 `backend_timeout`: the backend did not answer within the deadline. */
export class BackendTimeoutException extends GatewayException {
  constructor(explanation: string) {
    super({
      status: 504,
      error: 'server_error',
      code: 'backend_timeout',
      description: 'The backend did not answer in time.',
      explanation,
    });
  }
}

/** A 4xx of the backend: its status and, when it is JSON, its body reach the client unchanged. */
export class BackendRefusedException extends GatewayException {
  /** @param body JSON text of the backend; `undefined` if there is none, and the client gets `backend_refused` */
  constructor(status: number, body: string | undefined, headers: Readonly<Record<string, string>>) {
    super({
      status,
      error: status === 401 || status === 403 ? 'access_denied' : 'invalid_request',
      code: 'backend_refused',
      description: 'The backend refused the request.',
      explanation: `the backend answered ${status}`,
      headers,
      body,
    });
  }

  override getResponse(): object {
    const { body } = this.details;
    const answer: unknown = body === undefined ? undefined : JSON.parse(body);
    return answer !== null && typeof answer === 'object' ? answer : super.getResponse();
  }
}

/** 403 `claim_for_backend_missing`: the token lacks a claim that the path of the call needs. */
export class ClaimForBackendMissingException extends GatewayException {
  constructor(explanation: string) {
    super({
      status: 403,
      error: 'insufficient_scope',
      code: 'claim_for_backend_missing',
      description: 'The token lacks a claim that this request needs.',
      explanation,
    });
  }
}

/** 408 `request_timeout`: the client sends its body, or reads its answer, too slowly for the deadline of the call. */
export class ClientTooSlowException extends GatewayException {
  constructor(explanation: string) {
    super({
      status: 408,
      error: 'invalid_request',
      code: 'request_timeout',
      description: 'The client was too slow.',
      explanation,
      headers: { Connection: 'close' },
    });
  }
}
