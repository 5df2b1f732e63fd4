import type { ServerResponse } from 'node:http';
import { withNotation, withExactNumbers } from '../../core/json/index.js';

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
    // Made on first use, since it is not needed where the text is only passed on.
    return (this.exact ??= withExactNumbers(this.text, this.parsed) as T);
  }

  /** Like {@link body}, but each number that `JSON.stringify` spells differently, e.g. `19.90`, is such a value. */
  get bodyAsWritten(): T {
    return withNotation(this.text, this.parsed) as T;
  }

  /**
   * Passes the answer on unchanged: sets status and content type on `response` (`@Res({ passthrough: true })`), and
   * returns the text that the handler has to return.
   */
  passTo(response: ServerResponse): string {
    response.statusCode = this.status;
    response.setHeader('Content-Type', this.contentType);
    return this.text;
  }
}
