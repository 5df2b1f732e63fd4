import { GatewayException } from '../../http/index.js';

/** 503 `keys_unavailable`: the introspection endpoint gives no answer, so a token is neither accepted nor refused. */
export class IntrospectionUnavailableException extends GatewayException {
  /** @param explanation names the endpoint, without secrets */
  constructor(explanation: string) {
    super({
      status: 503,
      error: 'temporarily_unavailable',
      code: 'keys_unavailable',
      description: 'Tokens cannot be checked at the moment.',
      explanation,
      headers: { 'Retry-After': '2' },
    });
  }
}
