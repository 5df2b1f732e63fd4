import type { IncomingMessage } from 'node:http';
import type { BackendHeaders } from '../core/headers/index.js';

const WITHHELD = Symbol('signet.withheld-headers');
const ADDED = Symbol('signet.added-headers');
type Forwarding = IncomingMessage & {
  [WITHHELD]?: readonly string[];
  [ADDED]?: BackendHeaders;
};

/**
 * Keeps headers of this request from every backend call made on its behalf; `AuthGuard` withholds
 * what carried the token. For code that lets a credential end here.
 *
 * @param names lower-case header names
 */
export function withholdHeaders(request: IncomingMessage, names: readonly string[]): void {
  const target = request as Forwarding;
  const already = target[WITHHELD];
  target[WITHHELD] = already === undefined ? names : [...already, ...names];
}

/** Lower-case names of the headers that are withheld from backends. */
export const withheldHeaders = (request: IncomingMessage): readonly string[] =>
  (request as Forwarding)[WITHHELD] ?? [];

/** Adds headers to every backend call made on behalf of this request; the client's own never replace them. */
export function addBackendHeaders(request: IncomingMessage, headers: BackendHeaders): void {
  const target = request as Forwarding;
  target[ADDED] = { ...target[ADDED], ...headers };
}

/** Headers that were added to the backend calls of this request. */
export const addedBackendHeaders = (request: IncomingMessage): BackendHeaders | undefined =>
  (request as Forwarding)[ADDED];
