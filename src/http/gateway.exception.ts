import { HttpException } from '@nestjs/common';
import { suspendStackTraces } from '../core/errors/index.js';

/** The data of an error answer. */
export interface GatewayError {
  /** HTTP status. */
  status: number;
  /** Member `error` (RFC 6749 section 5.2, RFC 6750 section 3.1); `undefined`: the answer has none. */
  error?: string;
  /** Stable code of the error table (docs/routes-and-errors.md), also for the log and the metrics. */
  code: string;
  /** Text for the client. It says nothing about the configuration or the contents of a token. */
  description: string;
  /** The exact reason, without secrets: for the log, and with the option `explain` of `ErrorFilter` for the answer. */
  explanation?: string;
  /** Headers of the answer, e.g. `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
  /** The error behind this one, for the log. */
  cause?: unknown;
  /** JSON text of the whole answer, e.g. the refusal of a backend. Default: it is made of the members above. */
  body?: string;
  /** Made of the members above by `prepareAnswer`. @internal */
  prepared?: PreparedAnswer;
}

/** The parts that all answers of one kind of error have in common. @internal */
export interface PreparedAnswer {
  /** All headers but `X-Request-Id` and `Content-Length`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body up to the id of the request. */
  readonly start: string;
  /** The body after the id of the request. */
  readonly end: string;
  /** Length of `start` and `end`, in bytes. */
  readonly length: number;
}

/** Base class of all exceptions of this package that have an HTTP answer. */
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
