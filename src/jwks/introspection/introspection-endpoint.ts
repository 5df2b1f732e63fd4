import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import {
  hasDuplicateMembers,
  isJsonMediaType,
  isJsonObject,
  parseJsonExactly,
  toNumber,
} from '../../core/json/index.js';
import { KeyError, RELOAD_INTERVAL_MS } from '../../core/keys/index.js';
import { CircuitBreaker } from '../../core/resilience/index.js';
import { AtMostEvery, epochSeconds } from '../../core/time/index.js';
import { STANDARD_INTROSPECTION, type IntrospectionOptions } from '../../core/verify/index.js';
import { AnswerCache } from './answer-cache.js';
import {
  authentication,
  clientOf,
  readClientFile,
  type IntrospectionClient,
} from './introspection-client.js';
import { IntrospectionUnavailableException } from './introspection-unavailable.exception.js';
import type { JwksModuleOptions } from '../jwks.module-definition.js';
import { checkedUrl } from '../remote/key-url.js';
import { RemoteAgent } from '../remote/remote-agent.js';
import { describeFetchError, readAtMost } from '../remote/remote-fetch.js';
import { watchFile } from '../watch-file.js';

/**
 * How a request for introspection ended. `refused`: 4xx or a redirect; `failed`: 5xx; `not_asked`: the circuit is open,
 * or too many calls are under way.
 */
export const INTROSPECTION_OUTCOMES = [
  'active',
  'inactive',
  'refused',
  'failed',
  'bad_response',
  'unavailable',
  'timeout',
  'not_asked',
] as const;
export type IntrospectionOutcome = (typeof INTROSPECTION_OUTCOMES)[number];

/** Seconds for which an inactive token is cached. It may become active, e.g. once all nodes of its issuer know it. */
const INACTIVE_TTL = 5;
/** Largest `cacheTtl`, in seconds: for so long a token may be accepted after its issuer has revoked it. */
const LONGEST_TTL = 3600;
const LONGEST_TIMEOUT_MS = 60_000;
const MAX_BYTES = 65_536;
/** Sizes of the caches in characters. There are two, so that junk tokens do not displace active ones. */
const ACTIVE_CACHE = 16 * 1024 * 1024;
const INACTIVE_CACHE = 1024 * 1024;
const CONNECTIONS = 32;
/** Maximum number of calls at the same time. Further calls fail at once. */
const MAX_CALLS = 256;
const LOG_EVERY_MS = 5000;

/** An endpoint did not say whether a token is active. */
class IntrospectionFailure extends Error {
  constructor(
    readonly outcome: IntrospectionOutcome,
    message: string,
  ) {
    super(message);
  }
}

/** Outcomes that count as failures of the endpoint. `refused` does not: it is an answer, maybe about one token only. */
const FAILURES = new Set<IntrospectionOutcome>([
  'failed',
  'bad_response',
  'unavailable',
  'timeout',
]);

/** Error codes of a kept connection that the server has closed meanwhile. */
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** One introspection endpoint (RFC 7662), with a cache of its answers. */
export class IntrospectionEndpoint {
  private static readonly logger = new Logger('Introspection');
  /** Origin and path, for messages. */
  readonly source: string;
  private readonly url: URL;
  private readonly agent: RemoteAgent;
  private readonly cacheTtl: number;
  private readonly timeoutMs: number;
  private readonly active = new AnswerCache(ACTIVE_CACHE);
  private readonly inactive = new AnswerCache(INACTIVE_CACHE);
  /** Calls under way, by the digest of the token. */
  private readonly calls = new Map<string, Promise<string | undefined>>();
  private readonly breaker = new CircuitBreaker();
  private readonly log = new AtMostEvery(LOG_EVERY_MS);
  private lastFailure = '';
  private wasLogged = false;
  private client: IntrospectionClient | undefined;
  private unwatch: (() => void) | undefined;
  private closed = false;

  /**
   * @param listener is called with the outcome of each call
   * @throws KeyError when the options cannot be used
   */
  constructor(
    private readonly options: IntrospectionOptions,
    private readonly module: JwksModuleOptions,
    private readonly listener: (outcome: IntrospectionOutcome) => void = () => undefined,
  ) {
    const {
      url,
      cacheTtl = STANDARD_INTROSPECTION.cacheTtl,
      timeoutMs = STANDARD_INTROSPECTION.timeoutMs,
      remote,
    } = options;
    const trust = { ...module.remote, ...remote };
    this.url = checkedUrl(url, trust);
    this.source = `${this.url.origin}${this.url.pathname}`;
    if (!(cacheTtl >= 0 && cacheTtl <= LONGEST_TTL))
      throw new KeyError(`'cacheTtl' is not a number of seconds up to ${LONGEST_TTL}`);
    if (!(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS))
      throw new KeyError(`'timeoutMs' is not a number of milliseconds up to ${LONGEST_TIMEOUT_MS}`);
    this.cacheTtl = cacheTtl;
    this.timeoutMs = timeoutMs;
    this.client = clientOf(options);
    this.agent = new RemoteAgent(trust, timeoutMs, CONNECTIONS);
  }

  /** Reads the file with the client, if there is one, and begins to follow it. @throws KeyError */
  async open(): Promise<void> {
    const { clientFile } = this.options;
    if (clientFile === undefined) return;
    const text = await this.takeClient(clientFile);
    const { reloadIntervalMs = RELOAD_INTERVAL_MS } = this.module;
    const changed = (): Promise<void> => this.reload(clientFile);
    if (reloadIntervalMs > 0 && !this.closed)
      this.unwatch = watchFile(clientFile, reloadIntervalMs, changed, text);
  }

  /**
   * Asks the endpoint about a token, unless its answer is cached. Calls for the same token share one request.
   *
   * @returns the members of the answer without `active`; `undefined` for a token that is not active
   * @throws IntrospectionUnavailableException
   */
  async ask(token: string): Promise<Record<string, unknown> | undefined> {
    const id = hash('sha256', token, 'base64');
    const now = performance.now();
    const known = this.active.get(id, now);
    if (known !== undefined) return claimsIn(known);
    if (this.inactive.get(id, now) !== undefined) return undefined;
    let call = this.calls.get(id);
    if (call === undefined) {
      call = this.call(id, token).finally(() => this.calls.delete(id));
      this.calls.set(id, call);
    }
    const text = await call;
    return text === undefined ? undefined : claimsIn(text);
  }

  close(): void {
    this.closed = true;
    this.unwatch?.();
    this.agent.close();
  }

  /** @returns the text of the answer about an active token */
  private async call(id: string, token: string): Promise<string | undefined> {
    if (this.calls.size >= MAX_CALLS) throw this.notAsked('too many calls are under way');
    const permit = this.breaker.admit(performance.now());
    if (permit === undefined)
      throw this.notAsked(`its last calls failed, the last one with: ${this.lastFailure}`);
    try {
      const text = await this.post(token);
      const answer = parseAnswer(text);
      this.answered(permit, answer.active ? 'active' : 'inactive');
      this.remember(id, answer, text);
      return answer.active ? text : undefined;
    } catch (error) {
      throw error instanceof IntrospectionFailure ? this.failed(permit, error) : error;
    }
  }

  /** Asks once more if the server has closed a kept connection just when it is used. Asking twice does no harm. */
  private async post(token: string): Promise<string> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    try {
      return await this.exchange(token, signal).catch((error: NodeJS.ErrnoException) => {
        if (!CLOSED.has(error.code ?? '') || signal.aborted) throw error;
        return this.exchange(token, signal);
      });
    } catch (error) {
      if (error instanceof IntrospectionFailure) throw error;
      if (error instanceof KeyError) throw new IntrospectionFailure('bad_response', error.message);
      throw new IntrospectionFailure(
        signal.aborted ? 'timeout' : 'unavailable',
        describeFetchError(error, signal.aborted ? this.timeoutMs : undefined),
      );
    }
  }

  private async exchange(token: string, signal: AbortSignal): Promise<string> {
    const { headers: credentials, parameters } = authentication(this.client);
    const form = { token, token_type_hint: 'access_token', ...parameters };
    const { statusCode, headers, body } = await this.agent.to(this.url).request({
      method: 'POST',
      origin: this.url.origin,
      path: this.url.pathname + this.url.search,
      signal,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'signet',
        ...credentials,
      },
      body: new URLSearchParams(form).toString(),
    });
    // Destroying the stream below emits an error, which is ignored.
    body.on('error', () => undefined);
    try {
      const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
      if (statusCode !== 200) throw statusFailure(statusCode);
      if (encoding !== 'identity' || (type !== undefined && !isJsonMediaType(String(type))))
        throw new IntrospectionFailure('bad_response', 'the answer is not plain JSON by its type');
      const bytes = await readAtMost(MAX_BYTES, body);
      if (!isUtf8(bytes)) throw new IntrospectionFailure('bad_response', 'the answer is not UTF-8');
      return bytes.toString();
    } finally {
      body.destroy();
    }
  }

  private remember(id: string, { active, exp }: Answer, text: string): void {
    const left = active ? (exp ?? Infinity) - epochSeconds() : INACTIVE_TTL;
    const seconds = Math.min(this.cacheTtl, left);
    if (!(seconds > 0)) return;
    const until = performance.now() + seconds * 1000;
    if (active) this.active.set(id, text, until);
    else this.inactive.set(id, '', until);
  }

  private answered(permit: number, outcome: IntrospectionOutcome): void {
    this.listener(outcome);
    this.breaker.succeeded(permit);
    if (this.wasLogged) IntrospectionEndpoint.logger.log(`${this.source}: answers again`);
    this.wasLogged = false;
  }

  private failed(
    permit: number,
    { outcome, message }: IntrospectionFailure,
  ): IntrospectionUnavailableException {
    // After close() the error comes from the aborted call.
    if (!this.closed) {
      this.listener(outcome);
      this.lastFailure = message;
      if (FAILURES.has(outcome)) this.breaker.failed(permit, performance.now());
      else this.breaker.succeeded(permit);
      if (this.log.due()) {
        this.wasLogged = true;
        IntrospectionEndpoint.logger.error(
          `${this.source}: ${message}; the tokens to be asked about get 503`,
        );
      }
    }
    return new IntrospectionUnavailableException(`${this.source}: ${message}`);
  }

  private notAsked(reason: string): IntrospectionUnavailableException {
    this.listener('not_asked');
    return new IntrospectionUnavailableException(`${this.source}: was not asked: ${reason}`);
  }

  /** Reads the client from a file and uses it from now on. @returns the text of the file */
  private async takeClient(path: string): Promise<string> {
    const { client, text, exposure } = await readClientFile(path);
    const { exposedKeyFiles = 'warn' } = this.module;
    if (exposure !== undefined && exposedKeyFiles === 'refuse') throw new KeyError(exposure);
    if (exposure !== undefined && exposedKeyFiles === 'warn')
      IntrospectionEndpoint.logger.warn(exposure);
    this.client = client;
    return text;
  }

  private async reload(path: string): Promise<void> {
    try {
      await this.takeClient(path);
      IntrospectionEndpoint.logger.log(`${path}: reloaded`);
    } catch (error) {
      const problem = error instanceof KeyError ? error.message : `${path}: cannot be loaded`;
      IntrospectionEndpoint.logger.error(`${problem}; the last good client stays in use`);
    }
  }
}

/** The members of an answer that decide on its outcome and its time in the cache. */
interface Answer {
  readonly active: boolean;
  /** Expiry of the token, in seconds since 1970. */
  readonly exp: number | undefined;
}

function parseAnswer(text: string): Answer {
  let answer: unknown;
  try {
    answer = parseJsonExactly(text);
  } catch {
    answer = undefined;
  }
  if (
    !isJsonObject(answer) ||
    typeof answer.active !== 'boolean' ||
    hasDuplicateMembers(text, answer)
  )
    throw new IntrospectionFailure(
      'bad_response',
      "the answer is not a JSON object with unique members and a boolean 'active'",
    );
  return { active: answer.active, exp: toNumber(answer.exp) };
}

/** Returns a new copy of the claims for each request, since a handler may change them. */
function claimsIn(text: string): Record<string, unknown> {
  const { active: _active, ...claims } = parseJsonExactly(text) as Record<string, unknown>;
  return claims;
}

const statusFailure = (status: number): IntrospectionFailure =>
  status >= 500
    ? new IntrospectionFailure('failed', `the answer has status ${status}`)
    : new IntrospectionFailure(
        'refused',
        status === 401 || status === 403
          ? `the client may not ask there (status ${status})`
          : `the answer has status ${status}`,
      );
