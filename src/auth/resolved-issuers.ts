import { Logger } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { isJsonObject } from '../core/json/index.js';
import { AtMostEvery } from '../core/time/index.js';
import {
  hasUncheckedAudience,
  issuerKeySource,
  type IssuerOptions,
  type TokenPolicy,
} from '../core/verify/index.js';
import type { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { IssuerUnavailableException } from './auth.exceptions.js';

/** Options of an issuer that is found at run time. It is never the gateway itself. */
export type ResolvedIssuer = Omit<IssuerOptions, 'issuer' | 'own'> & {
  /** Optional. If it is set, it has to equal the issuer that was asked for. */
  issuer?: string;
};

/**
 * Returns the options of an issuer that is not listed, e.g. of a tenant.
 *
 * @param iss claim of a token that is not verified yet, so a client can send any text
 * @returns `undefined` for an unknown issuer, whose tokens are refused
 */
export type IssuerResolver = (
  iss: string,
) => ResolvedIssuer | undefined | Promise<ResolvedIssuer | undefined>;

/** Options for issuers that are not listed. */
export interface IssuerResolverOptions {
  /**
   * Returns the options and keys for tokens of an issuer that is not listed. It is called for an `iss` that neither
   * `issuer` nor `issuers` contains, on routes without issuers or keys of their own, and never on routes with `admin`.
   * While it throws or takes longer than 2 seconds, tokens of the issuer get 503 `keys_unavailable`.
   */
  issuerResolver?: IssuerResolver;
  /** Seconds for which an answer of `issuerResolver` is used. Default 300. */
  issuerResolverTtl?: number;
  /**
   * Maximum number of issuers of `issuerResolver` whose keys are kept. The least recently used one is removed first.
   * Default 1000.
   */
  issuerResolverLimit?: number;
}

const DEFAULT_TTL_SECONDS = 300;
const DEFAULT_LIMIT = 1000;
/** Longest time for an answer of the resolver, in milliseconds. */
const DEADLINE_MS = 2000;
/** Longest issuer that the resolver is asked about, in characters. */
const MAX_LENGTH = 1024;
/** Time in milliseconds for which the resolver is not asked again: about an unknown issuer, and after a failure. */
const UNKNOWN_MS = 5000;
const FAILED_MS = 1000;
/** Maximum number of issuers without a policy that are remembered. */
const MAX_MISSES = 1000;
/** Maximum number of lookups that are open, or have found no issuer within the last second. */
const MAX_QUESTIONS = 100;
const LOG_EVERY_MS = 10_000;

/** An issuer whose keys are open. */
interface KnownIssuer {
  readonly options: IssuerOptions;
  /** By the function that compiles them: one policy per route. */
  readonly policies: WeakMap<object, TokenPolicy>;
  /** End of the time to use the answer, in milliseconds of the monotonic clock. */
  readonly until: number;
  readonly release: () => void;
}

/** An issuer without a policy, because it is unknown or its lookup failed. It is asked about again after `until`. */
interface Miss {
  readonly failed: boolean;
  readonly until: number;
}

/**
 * The issuers that a resolver knows, with their keys. Clients choose the issuers that it is asked about, so all of it
 * is bounded: there is one lookup of an issuer at a time, its result is used for a while, lookups of unknown issuers
 * are limited per second, and unknown issuers do not displace known ones.
 */
export class ResolvedIssuers {
  private readonly logger = new Logger('Auth');
  /** By issuer. The most recently used one is last. */
  private readonly known = new Map<string, KnownIssuer>();
  /** By issuer. The latest one is last. */
  private readonly misses = new Map<string, Miss>();
  private readonly lookups = new Map<string, Promise<KnownIssuer | undefined>>();
  /** Number of lookups that have found no issuer since the time `since`, which begins anew each second. */
  private fruitless = { count: 0, since: -Infinity };
  private readonly failureLog = new AtMostEvery(LOG_EVERY_MS);
  private readonly floodLog = new AtMostEvery(LOG_EVERY_MS);
  private readonly audienceLog = new AtMostEvery(LOG_EVERY_MS);
  private readonly ttlMs: number;
  private readonly limit: number;

  /**
   * @param listed issuers that are never asked about
   * @throws BootError for an option that is out of range
   */
  constructor(
    private readonly resolve: IssuerResolver,
    { issuerResolverTtl, issuerResolverLimit }: IssuerResolverOptions,
    private readonly listed: ReadonlySet<string>,
    private readonly keys: Pick<JwkKeyStore, 'leaseVerification'>,
    private readonly endpoints?: Pick<IntrospectionEndpoints, 'open'>,
  ) {
    this.ttlMs = 1000 * (issuerResolverTtl ?? DEFAULT_TTL_SECONDS);
    this.limit = issuerResolverLimit ?? DEFAULT_LIMIT;
    const problems = [
      typeof resolve === 'function' ? '' : "'issuerResolver' is not a function",
      this.ttlMs > 0 && Number.isFinite(this.ttlMs)
        ? ''
        : "'issuerResolverTtl' is not a number of seconds above 0",
      Number.isInteger(this.limit) && this.limit > 0
        ? ''
        : "'issuerResolverLimit' is not a whole number above 0",
    ].filter(Boolean);
    if (problems.length > 0) throw new BootError(problems.map((text) => `AuthModule: ${text}`));
  }

  /**
   * Returns the policy for tokens of an issuer; see `IssuerFinder`.
   *
   * @throws IssuerUnavailableException while the resolver gives no answer
   */
  async find(
    iss: string,
    compile: (issuer: IssuerOptions) => TokenPolicy,
  ): Promise<TokenPolicy | undefined> {
    if (iss.length > MAX_LENGTH || this.listed.has(iss)) return undefined;
    let known = this.known.get(iss);
    if (known === undefined || performance.now() >= known.until) known = await this.ask(iss);
    else this.use(iss, known);
    if (known === undefined) return undefined;
    const { policies, options } = known;
    let policy = policies.get(compile);
    if (policy === undefined) {
      policy = this.compiled(options, compile);
      policies.set(compile, policy);
    }
    return policy;
  }

  /** Asks the resolver. Concurrent calls for one issuer share one lookup. */
  private async ask(iss: string): Promise<KnownIssuer | undefined> {
    const now = performance.now();
    const miss = this.misses.get(iss);
    if (miss !== undefined && now < miss.until) {
      if (miss.failed) throw new IssuerUnavailableException();
      return undefined;
    }
    let question = this.lookups.get(iss);
    if (question === undefined) {
      if (!this.known.has(iss)) this.limitLookups(now);
      question = this.answer(iss).finally(() => this.lookups.delete(iss));
      this.lookups.set(iss, question);
    }
    return question;
  }

  /** Limits lookups, so that a flood of unknown issuers does not reach the resolver. */
  private limitLookups(now: number): void {
    if (now - this.fruitless.since >= 1000) this.fruitless = { count: 0, since: now };
    if (this.lookups.size + this.fruitless.count < MAX_QUESTIONS) return;
    if (this.floodLog.due())
      this.logger.warn(
        `The option issuerResolver of AuthModule is not asked about new issuers for the moment: ${MAX_QUESTIONS} questions are open or had no use within the last second`,
      );
    throw new IssuerUnavailableException();
  }

  private async answer(iss: string): Promise<KnownIssuer | undefined> {
    let known: KnownIssuer | undefined;
    try {
      known = await this.open(iss);
    } catch (error) {
      // The keys of the last answer stay open, since the next answer may be the same.
      this.miss(iss, { failed: true, until: performance.now() + FAILED_MS });
      throw this.unavailable(iss, error);
    }
    const before = this.known.get(iss);
    if (known === undefined) {
      this.known.delete(iss);
      this.miss(iss, { failed: false, until: performance.now() + UNKNOWN_MS });
    } else {
      this.misses.delete(iss);
      this.use(iss, known);
      this.makeRoom();
    }
    // Released last, so that a key set that both answers name stays open.
    before?.release();
    return known;
  }

  /** Closes the keys of issuers beyond the limit, and of those whose answer expired more than one TTL ago. */
  private makeRoom(): void {
    const unusedSince = performance.now() - this.ttlMs;
    for (const [oldest, { release, until }] of this.known) {
      if (this.known.size <= this.limit && until > unusedSince) return;
      this.known.delete(oldest);
      release();
    }
  }

  private async open(iss: string): Promise<KnownIssuer | undefined> {
    const found = await within(DEADLINE_MS, async () => this.resolve(iss));
    if (found === undefined) return undefined;
    assertOfIssuer(found, iss);
    const keys = issuerKeySource({ ...found, issuer: iss });
    if (found.introspection !== undefined) await this.endpoints?.open(found.introspection);
    const { jwkLocalPath: _path, jwksUri: _uri, remote: _remote, ...rest } = found;
    return {
      options: { ...rest, issuer: iss, keys },
      policies: new WeakMap(),
      release: await this.keys.leaseVerification(keys),
      until: performance.now() + this.ttlMs,
    };
  }

  private use(iss: string, known: KnownIssuer): void {
    this.known.delete(iss);
    this.known.set(iss, known);
  }

  private miss(iss: string, miss: Miss): void {
    this.fruitless.count++;
    this.misses.delete(iss);
    this.misses.set(iss, miss);
    if (this.misses.size > MAX_MISSES)
      this.misses.delete(this.misses.keys().next().value as string);
  }

  private compiled(
    options: IssuerOptions,
    compile: (issuer: IssuerOptions) => TokenPolicy,
  ): TokenPolicy {
    let policy: TokenPolicy;
    try {
      policy = compile(options);
    } catch (error) {
      throw this.unavailable(options.issuer, error);
    }
    if (hasUncheckedAudience(policy) && this.audienceLog.due())
      this.logger.warn(
        `The audience of ${shown(options.issuer)} is unchecked: tokens that it made for any other service are accepted`,
      );
    return policy;
  }

  /** Logs a failed lookup, and returns the exception for tokens of this issuer. Other issuers are not affected. */
  private unavailable(iss: string, error: unknown): IssuerUnavailableException {
    if (this.failureLog.due())
      this.logger.error(
        `The option issuerResolver of AuthModule has no answer for ${shown(iss)}, whose tokens get 503: ${error instanceof Error ? error.message : 'it threw what is no Error'}`,
      );
    return new IssuerUnavailableException();
  }
}

/** Checks an answer, since JavaScript code may return anything. @throws Error if it does not fit this issuer */
function assertOfIssuer(found: unknown, iss: string): asserts found is ResolvedIssuer {
  if (!isJsonObject(found)) throw new Error('the answer is neither an object nor undefined');
  if (found.issuer !== undefined && found.issuer !== iss)
    throw new Error(`the answer is about another issuer: ${shown(found.issuer)}`);
  if (found.own !== undefined && found.own !== false)
    throw new Error("'own' is set, and an issuer that is not listed is never our own");
}

/** Waits at most `ms` milliseconds for an answer. @throws Error when there is no answer in time */
async function within<Answer>(ms: number, work: () => Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Quotes a value of a token or an answer, on one line and shortened to 200 characters. */
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 200);
