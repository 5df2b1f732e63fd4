import type { IncomingMessage } from 'node:http';

/** Headers of a request that must not reach a backend, whatever the allow-list says. */
const WITHHELD = Symbol('signet.withheld-headers');
type Withholding = IncomingMessage & { [WITHHELD]?: readonly string[] };

/**
 * Keeps headers of this request from every backend call made on its behalf; `AuthGuard` withholds
 * what carried the token. For code that lets a credential end here.
 *
 * @param names lower-case header names
 */
export function withholdHeaders(request: IncomingMessage, names: readonly string[]): void {
  const target = request as Withholding;
  target[WITHHELD] = [...(target[WITHHELD] ?? []), ...names];
}

/** Lower-case names of the headers that are withheld from backends. */
export const withheldHeaders = (request: IncomingMessage): readonly string[] =>
  (request as Withholding)[WITHHELD] ?? [];
