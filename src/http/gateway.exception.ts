import { HttpException } from '@nestjs/common';
import { suspendStackTraces } from '../core/errors/index.js';

/** What an error answer says, and to whom. */
export interface GatewayError {
  /** HTTP status. */
  status: number;
  /** RFC 6749 section 5.2 / RFC 6750 section 3.1 error; left out of the answer when undefined. */
  error?: string;
  /** Stable, more exact code of the error table; goes to the log and the metrics as well. */
  code: string;
  /** Safe for everybody: says what happened, nothing about configuration or token contents. */
  description: string;
  /** The exact reason. Always in the log, in the answer only with the option `explain` of `ErrorFilter`. Never holds a secret. */
  explanation?: string;
  /** Headers of the answer, e.g. `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
  /** What went wrong below, for the log. */
  cause?: unknown;
  /** JSON text that is the whole answer, e.g. a backend's own refusal. Default: made of the members above. */
  body?: string;
  /** Made of the members above by `prepareAnswer`. @internal */
  prepared?: PreparedAnswer;
}

/** What is the same in all answers of one kind. @internal */
export interface PreparedAnswer {
  /** All but `X-Request-Id` and `Content-Length`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body up to the id of the request. */
  readonly start: string;
  /** The rest of it. */
  readonly end: string;
  /** Bytes of both. */
  readonly length: number;
}

/**
 * Base of every refusal and failure the gateway answers with on purpose.
 * Subclasses stand beside the code that throws them.
 */
export class GatewayException extends HttpException {
  readonly details: GatewayError;

  constructor(details: GatewayError) {
    const restore = suspendStackTraces();
    super(details.description, details.status, { errorCode: details.code, cause: details.cause });
    restore();
    this.details = details;
  }

  /** Stable code of the error table. */
  get code(): string {
    return this.details.code;
  }

  /** The exact reason, for the log. */
  get explanation(): string | undefined {
    return this.details.explanation;
  }

  /** The body for an application without `ErrorFilter`; Nest's own filter sends it as it is. */
  override getResponse(): object {
    const { error, code, description } = this.details;
    return { error, error_description: description, code };
  }
}
