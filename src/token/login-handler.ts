import type { IncomingMessage } from 'node:http';
import type { BackendClient } from '../backend/index.js';
import type { Client } from '../core/clients/index.js';
import { BootError } from '../core/errors/index.js';
import type { VerifiedClaims } from '../core/verify/index.js';
import type { RefreshRequest } from './refresh/refresh-request.js';
import type { TokenAnswer } from './token-answer.js';
import type { TokenParameters } from './request/token-request.js';

/** The argument of {@link LoginHandler}. */
export interface LoginRequest {
  /** Gives a parameter of the body by name, e.g. `parameters('username')`. */
  readonly parameters: TokenParameters;
  /** The authenticated client; `undefined` without `ClientsModule`. */
  readonly client: Client | undefined;
  readonly request: IncomingMessage;
}

/** The argument of {@link RefreshHandler}. */
export interface RefreshedSession {
  readonly sub: string | undefined;
  /** Id of the session, a claim of all its tokens. */
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
 * Decides a refresh in place of a backend.
 *
 * @returns as {@link LoginHandler}
 */
export type RefreshHandler = (session: RefreshedSession) => Decision | Promise<Decision>;

/** The options that name a backend or a function. */
interface Decider {
  path?: string;
  handler?: unknown;
}

/**
 * Checks that the options name either a backend or a function.
 *
 * @param module name of the module, for messages
 * @param prefix prefix of the options in messages, e.g. `refresh.`
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
