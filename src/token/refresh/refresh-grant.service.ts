import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { BackendClient, BackendRefusedException } from '../../backend/index.js';
import { hasClientCredentials } from '../../clients/index.js';
import { claimText } from '../../core/claims/index.js';
import type { Client } from '../../core/clients/index.js';
import { toNumber } from '../../core/json/index.js';
import { TokenRefusedError } from '../../core/errors/index.js';
import { BACKEND_CLIENT } from '../../http/index.js';
import { SignedAnswer, UnsignedAnswer } from '../../signing/index.js';
import {
  Revocations,
  STATE_STORE,
  StateReadOnlyException,
  StateUnavailableException,
  SuccessorUses,
  type RefreshOutcome,
  type RefreshUse,
  type StateStore,
} from '../../state/index.js';
import { OAUTH_OPTIONS, type OAuthModuleOptions } from '../oauth.module-definition.js';
import {
  continueSession,
  IssuedTokens,
  tokensIn,
  type PresentedToken,
} from '../../session/index.js';
import { assertDecider } from '../login-handler.js';
import { isBackendRefusal, withBasicChallenge } from '../login-refusal.js';
import { passOnCredentials } from '../request/client-request.js';
import { isProofRefusal, ProofRefusedException } from '../request/proof-refused.exception.js';
import { ClientGoneException, RefreshRefusedException } from './refresh.exceptions.js';
import {
  assertGranted,
  refreshRequest,
  withScope,
  type RefreshRequest,
} from './refresh-request.js';
import { openAnswer, sealAnswer } from './sealed-answer.js';
import { TokenEndpointProofs } from '../request/token-endpoint-proofs.service.js';
import type { TokenParameters } from '../request/token-request.js';
import type { TokenHolder, VerifiedClaims } from '../../core/verify/index.js';

/** Statuses with which a backend says that the login is no longer valid. */
const LOGIN_ENDED = new Set([400, 401, 403, 404, 410]);
/** Errors of a backend that are about the request, not the login (RFC 6749 section 5.2, RFC 8707 section 2). */
const OF_THE_REQUEST: ReadonlySet<unknown> = new Set([
  'invalid_client',
  'invalid_scope',
  'invalid_target',
]);

/** Default of `retryWindow`: seconds in which a repeated request gets the same answer. */
const RETRY_WINDOW = 10;
/** Default of `absoluteTtl`: seconds from login after which a session ends (90 days). */
const ABSOLUTE_TTL = 7_776_000;
/** Milliseconds after which a store that did not answer is asked again. A lost connection is reopened by then. */
const REPEAT_AFTER_MS = 250;

/** A refresh in progress. */
interface Refresh {
  readonly token: string;
  readonly presented: PresentedToken;
  readonly use: RefreshUse;
  /** The requested scope; without one, the granted scope. */
  readonly asked: unknown;
}

/**
 * The refresh token grant (RFC 6749 section 6) with rotation and detection of reuse (RFC 9700 section 4.14.2). A token
 * is consumed when its successors are signed, so a failure before that, e.g. of the backend, ends no session.
 */
@Injectable()
export class RefreshGrant {
  private readonly logger = new Logger(RefreshGrant.name);
  /** Seconds. */
  private readonly retryWindow: number;
  /** Seconds. */
  private readonly absoluteTtl: number;

  constructor(
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthModuleOptions,
    @Inject(STATE_STORE) private readonly store: StateStore,
    private readonly revocations: Revocations,
    private readonly tokens: IssuedTokens,
    private readonly proofs: TokenEndpointProofs,
    private readonly uses: SuccessorUses,
    @Optional() @Inject(BACKEND_CLIENT) private readonly backend?: BackendClient,
  ) {
    const { refresh } = options;
    if (refresh !== undefined) assertDecider('OAuthModule', 'refresh.', refresh, backend);
    this.retryWindow = refresh === undefined ? 0 : (refresh.retryWindow ?? RETRY_WINDOW);
    this.absoluteTtl = refresh?.absoluteTtl ?? ABSOLUTE_TTL;
    uses.watch(this.retryWindow);
  }

  /** True if refresh tokens are accepted. */
  get enabled(): boolean {
    return this.options.refresh !== undefined;
  }

  /** True for a token whose session is too old to go on. */
  isPast({ claims }: PresentedToken): boolean {
    return this.enabled && this.revocations.now >= loginTime(claims) + this.absoluteTtl;
  }

  /**
   * Checks a refresh token, and asks the handler or the backend for the claims of its successors.
   *
   * @param parameters the parameters of the request; `scope` may narrow what was granted
   * @param client the authenticated client, where clients are registered: the token has to be its own. Elsewhere the
   * backend gets the client's credentials, and the `client_id` of the request and of the token must be equal if both
   * exist
   * @returns claims to sign; a {@link SignedAnswer} for a repetition within the retry window
   * @throws RefreshRefusedException (400 `invalid_grant`); TokenRequestException (400 `invalid_scope`,
   * `invalid_target`); ProofRefusedException (400 `invalid_dpop_proof`) for a token that is bound to another key than
   * that of the request's proof; the errors of the backend and of the state store
   */
  async exchange(
    request: IncomingMessage,
    token: string,
    parameters: TokenParameters,
    client?: Client,
  ): Promise<UnsignedAnswer | SignedAnswer> {
    const others = refreshRequest(parameters, client !== undefined);
    const presented = await this.verify(token, this.proofs.holder(request));
    const { claims, session } = presented;
    assertClient(claims.client_id, client?.id ?? passOnCredentials(request, parameters), client);
    const scope = parameters('scope');
    assertGranted(scope, claims.scope);
    if (this.isPast(presented))
      throw invalid('the login is longer ago than the option absoluteTtl of OAuthModule allows');
    const use = { ...refreshUse(presented), nonce: randomUUID() };
    const refresh = { token, presented, use, asked: scope ?? claims.scope };
    // Tokens from before refresh was switched on have no sid; their successors get one.
    const sid = claims.sid ?? session;
    const byClient = client === undefined && hasClientCredentials(request, parameters);
    const decide = (): Promise<Record<string, unknown>> =>
      this.decide(request, { ...claims, sid }, others, byClient);
    const outcome = await withOneRetry(() => this.store.peek(refresh.use));
    if (outcome.state !== 'fresh') {
      // Without registered clients, only the handler or the backend can check the client's credentials.
      const check = client === undefined ? decide : undefined;
      return new SignedAnswer(await this.repeat(outcome, refresh, check));
    }

    const body = await decide();
    let seen = false;
    return new UnsignedAnswer(body, {
      complete: (claimSets) => {
        // A repetition is safe only if the use of any successor will be noted, since that ends it.
        seen = claimSets.values().every((set) => this.uses.willSee(set));
        return continueSession(claimSets, {
          sid,
          authTime: loginTime(claims),
          scope: claims.scope,
        });
      },
      commit: (answer) => this.commit(answer, refresh, seen, request),
    });
  }

  /** Consumes the token. Of several concurrent requests one wins; the others get its answer. */
  private async commit(
    answer: Record<string, unknown>,
    refresh: Refresh,
    repeatable: boolean,
    request: IncomingMessage,
  ): Promise<Record<string, unknown>> {
    if (isGone(request)) throw new ClientGoneException();
    const { token, use, asked } = refresh;
    const replay = {
      value: sealAnswer(token, answer),
      ttlMs: repeatable ? this.retryWindow * 1000 : 0,
    };
    const outcome = await withOneRetry(() => this.store.consume(use, replay));
    if (outcome.state === 'fresh') return withScope(answer, asked);
    const winner = this.openReplay(outcome, token);
    return winner === undefined ? this.refuse(outcome, refresh) : withScope(winner, asked);
  }

  /**
   * Answers a token that was used before: with the same answer while none of its tokens was used, otherwise by ending
   * the session.
   *
   * @param check rejects for a client that would not get the first answer either
   */
  private async repeat(
    outcome: RefreshOutcome,
    refresh: Refresh,
    check?: () => Promise<unknown>,
  ): Promise<Record<string, unknown>> {
    const answer = this.openReplay(outcome, refresh.token);
    if (answer === undefined || (await this.uses.wereUsed(tokensIn(answer))))
      return this.refuse(outcome, refresh);
    await check?.();
    return withScope(answer, refresh.asked);
  }

  private openReplay(outcome: RefreshOutcome, token: string): Record<string, unknown> | undefined {
    const replay = outcome.state === 'consumed' ? outcome.replay : undefined;
    return replay === undefined ? undefined : openAnswer(token, replay);
  }

  private async refuse(outcome: RefreshOutcome, { presented }: Refresh): Promise<never> {
    if (outcome.state === 'revoked') throw invalid('the token or its session is revoked');
    await this.revocations.revoke({
      kind: 'sid',
      value: presented.session,
      reason: 'a refresh token was used twice',
    });
    this.logger.warn('A refresh token was used twice: its session is revoked');
    throw new RefreshRefusedException('refresh_token_reused', 'the token was used before');
  }

  private async verify(token: string, holder: TokenHolder): Promise<PresentedToken> {
    try {
      return await this.tokens.verifyRefresh(token, holder);
    } catch (error) {
      if (isProofRefusal(error)) throw new ProofRefusedException(error);
      if (error instanceof TokenRefusedError) throw invalid(`${error.code}: ${error.explanation}`);
      throw error;
    }
  }

  /** Asks the handler or the backend. @throws RefreshRefusedException where the session does not go on */
  private async decide(
    request: IncomingMessage,
    claims: VerifiedClaims,
    parameters: RefreshRequest,
    byClient: boolean,
  ): Promise<Record<string, unknown>> {
    const { path, handler } = this.options.refresh ?? {};
    const { sub, sid } = claims;
    if (handler === undefined)
      return this.askBackend(request, path, { sub, sid, claims, request: parameters }, byClient);
    const answer = await handler({ sub, sid, claims, parameters, request });
    return answer ?? refuseToGoOn('the option refresh.handler of OAuthModule');
  }

  private async askBackend(
    from: IncomingMessage,
    path: string | undefined,
    session: object,
    byClient: boolean,
  ): Promise<Record<string, unknown>> {
    // The constructor has checked both.
    const backend = this.backend as BackendClient;
    try {
      const answer = await backend.call<Record<string, unknown>>({
        method: 'POST',
        path: path as string,
        from,
        body: Buffer.from(JSON.stringify(session)),
      });
      return answer.bodyAsWritten;
    } catch (error) {
      if (!isBackendRefusal(error)) throw error;
      if (LOGIN_ENDED.has(error.getStatus()) && !isOfTheRequest(error))
        refuseToGoOn(`the backend (${error.getStatus()})`);
      throw byClient ? withBasicChallenge(error) : error;
    }
  }
}

/**
 * Asks the store once more if it did not answer. If the first call consumed the token, the second one gets the same
 * outcome.
 */
async function withOneRetry(ask: () => Promise<RefreshOutcome>): Promise<RefreshOutcome> {
  try {
    return await ask();
  } catch (error) {
    const isUnknown =
      error instanceof StateUnavailableException && !(error instanceof StateReadOnlyException);
    if (!isUnknown) throw error;
    await pause(REPEAT_AFTER_MS);
    return ask();
  }
}

/** @param who the handler or the backend, for the log */
function refuseToGoOn(who: string): never {
  throw invalid(`${who} refused to go on with the session`);
}

const invalid = (explanation: string): RefreshRefusedException =>
  new RefreshRefusedException('refresh_token_invalid', explanation);

/** The use of a presented refresh token, for the state store. */
export function refreshUse({ digest, deadFrom, session, subject }: PresentedToken): RefreshUse {
  const names = [...subject.names, { kind: 'sid', value: session } as const];
  return { id: digest, expiresAt: deadFrom, subject: { ...subject, names } };
}

/** Time at which the session of a token began, in seconds since 1970. */
const loginTime = ({ auth_time, iat }: PresentedToken['claims']): number =>
  toNumber(auth_time) ?? toNumber(iat) ?? 0;

/**
 * Checks that a refresh token was issued to this client (RFC 6749 section 6). If not, neither the token nor its session
 * changes.
 */
function assertClient(owner: unknown, name: string | undefined, client: Client | undefined): void {
  const ownerName = claimText(owner);
  if (client !== undefined && ownerName === undefined)
    throw invalid('the token names no client_id: it is from before clients were registered');
  if (ownerName !== undefined && name !== undefined && ownerName !== name)
    throw invalid('the token was issued to another client_id');
}

/** True if the client has disconnected: the token would be consumed for an answer that reaches no client. */
const isGone = ({ socket }: IncomingMessage): boolean => socket.destroyed || socket.writableEnded;

const isOfTheRequest = (error: BackendRefusedException): boolean =>
  OF_THE_REQUEST.has((error.getResponse() as { error?: unknown }).error);
