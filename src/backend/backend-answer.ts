import type { ServerResponse } from 'node:http';

/** A JSON answer of the backend with a 2xx status. */
export class BackendAnswer<T = unknown> {
  constructor(
    readonly status: number,
    /** The parsed body; numbers that a double cannot hold are `JSON.rawJSON` values. */
    readonly body: T,
    /** The JSON text as the backend sent it. */
    readonly text: string,
    readonly contentType: string,
  ) {}

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
