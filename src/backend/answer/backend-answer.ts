import type { ServerResponse } from 'node:http';
import { asWritten, exactly } from '../../core/json/index.js';

/** A JSON answer of the backend with a 2xx status. */
export class BackendAnswer<T = unknown> {
  private exact: T | undefined;

  constructor(
    readonly status: number,
    /** What `JSON.parse` makes of `text`. */
    private readonly parsed: T,
    /** The JSON text as the backend sent it. */
    readonly text: string,
    readonly contentType: string,
  ) {}

  /** The parsed body; numbers that a double cannot hold are `JSON.rawJSON` values. */
  get body(): T {
    // Not looked for where the text is only passed on.
    return (this.exact ??= exactly(this.text, this.parsed) as T);
  }

  /** The same, where each number that is spelled in another way than `JSON.stringify` does is such a value: `19.90`. */
  get bodyAsWritten(): T {
    return asWritten(this.text, this.parsed) as T;
  }

  /**
   * Passes the answer on as it is: sets status and content type on `response` (a
   * `@Res({ passthrough: true })`) and gives the text to return from the handler.
   */
  passTo(response: ServerResponse): string {
    response.statusCode = this.status;
    response.setHeader('Content-Type', this.contentType);
    return this.text;
  }
}
