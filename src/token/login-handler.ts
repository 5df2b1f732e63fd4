import type { IncomingMessage } from 'node:http';
import type { BackendClient } from '../backend/index.js';
import type { Client } from '../core/clients/index.js';
import { BootError } from '../core/errors/index.js';
import type { VerifiedClaims } from '../core/verify/index.js';
import type { RefreshRequest } from './refresh/refresh-request.js';
import type { TokenAnswer } from './token-answer.js';
import type { TokenParameters } from './request/token-request.js';

/** A login, as an application that decides it by itself is asked. */
export interface LoginRequest {
  /** Values of the body, e.g. `parameters('username')`. */
  readonly parameters: TokenParameters;
  /** Who asks, where clients are registered (`ClientsModule`). */
  readonly client: Client | undefined;
  readonly request: IncomingMessage;
}

/** A session that is to go on. */
export interface RefreshedSession {
  readonly sub: string | undefined;
  /** Names the session in all of its tokens. */
  readonly sid: unknown;
  /** Claims of the refresh token. */
  readonly claims: VerifiedClaims;
  /** Other parameters of the request, e.g. `scope`. */
  readonly parameters: RefreshRequest;
  readonly request: IncomingMessage;
}

type Decision = TokenAnswer | undefined;

/**
 * Decides a login in place of a backend.
 *
 * @returns the answer of `POST /token`, with claims in each field that is signed; `undefined` refuses it (400
 * `invalid_grant`)
 */
export type LoginHandler = (login: LoginRequest) => Decision | Promise<Decision>;

/**
 * Decides in place of a backend whether a session goes on.
 *
 * @returns as {@link LoginHandler}
 */
export type RefreshHandler = (session: RefreshedSession) => Decision | Promise<Decision>;

/** Who decides: a backend at a path, or a function of the application. */
interface Decider {
  path?: string;
  handler?: unknown;
}

/**
 * Checks that it is known who decides.
 *
 * @param module whose options they are
 * @param prefix of the options in messages, e.g. `refresh.`
 * @throws BootError where the options name neither or both, or a path without `BackendModule`
 */
export function assertDecider(
  module: string,
  prefix: string,
  { path, handler }: Decider,
  backend: BackendClient | undefined,
): void {
  if ((path === undefined) === (handler === undefined))
    throw new BootError(
      `${module}: give '${prefix}handler', or '${prefix}path' of the backend, and not both`,
    );
  if (path !== undefined && backend === undefined)
    throw new BootError(
      `${module}: '${prefix}path' needs BackendModule: add BackendModule.forRoot(…) to the imports of your root module`,
    );
}
