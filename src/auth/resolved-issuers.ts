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

/** What holds for tokens of an issuer that is found at run time; it is never our own. */
export type ResolvedIssuer = Omit<IssuerOptions, 'issuer' | 'own'> & {
  /** May be left out; else the very issuer that was asked for. */
  issuer?: string;
};

/**
 * Says what holds for tokens of an issuer that is not listed, e.g. of a tenant.
 *
 * @param iss as it stands in a token that nobody has verified: anybody can write anything there
 * @returns `undefined` for an issuer that is not known: its tokens are refused
 */
export type IssuerResolver = (
  iss: string,
) => ResolvedIssuer | undefined | Promise<ResolvedIssuer | undefined>;

/** How a resolver is asked. */
export interface IssuerResolverOptions {
  /**
   * Tokens of an issuer that is not listed are accepted as this says, with its keys. It is asked for an `iss`
   * that neither `issuer` nor `issuers` name, on routes that name neither issuers nor keys themselves; never
   * on routes with `admin`. While it throws or takes longer than 2 seconds, tokens of the issuer get 503
   * `keys_unavailable`.
   */
  issuerResolver?: IssuerResolver;
  /** Seconds for which an answer of `issuerResolver` is used. Default 300. */
  issuerResolverTtl?: number;
  /**
   * Issuers of `issuerResolver` whose keys are kept at the same time; the one that was not used for longest
   * makes room. Default 1000.
   */
  issuerResolverLimit?: number;
}

const DEFAULT_TTL_SECONDS = 300;
const DEFAULT_LIMIT = 1000;
/** Milliseconds that an answer may take. */
const DEADLINE_MS = 2000;
/** Characters of the longest issuer that is asked about. */
const MAX_LENGTH = 1024;
/** Milliseconds for which nothing is asked about an issuer that is not known, or where the answer failed. */
const UNKNOWN_MS = 5000;
const FAILED_MS = 1000;
/** Issuers without a policy that are remembered. */
const MAX_MISSES = 1000;
/** Questions that are open or, within the last second, had no use. */
const MAX_QUESTIONS = 100;
const LOG_EVERY_MS = 10_000;

/** An issuer whose keys are open. */
interface KnownIssuer {
  readonly options: IssuerOptions;
  /** By what makes them: one per route. */
  readonly policies: WeakMap<object, TokenPolicy>;
  /** By the monotonic clock, in milliseconds. */
  readonly until: number;
  readonly release: () => void;
}

/** Why there is no policy, until when. */
interface Miss {
  readonly failed: boolean;
  readonly until: number;
}

/**
 * The issuers that a resolver knows, with their keys. Whoever sends tokens chooses what is asked, so all of it
 * is bounded: an issuer is asked about once at a time and once in a while, few strange ones per second, and
 * strange ones take no place from those that are known.
 */
export class ResolvedIssuers {
  private readonly logger = new Logger('Auth');
  /** The one that was used last is last. */
  private readonly known = new Map<string, KnownIssuer>();
  /** The latest is last. */
  private readonly misses = new Map<string, Miss>();
  private readonly questions = new Map<string, Promise<KnownIssuer | undefined>>();
  /** Answers without use, since when. */
  private useless = { count: 0, since: -Infinity };
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
   * The policy for tokens of an issuer; see `IssuerFinder`.
   *
   * @throws IssuerUnavailableException while that cannot be said
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
    let question = this.questions.get(iss);
    if (question === undefined) {
      if (!this.known.has(iss)) this.assertFew(now);
      question = this.answer(iss).finally(() => this.questions.delete(iss));
      this.questions.set(iss, question);
    }
    return question;
  }

  /** A flood of strange issuers must not become one of questions. */
  private assertFew(now: number): void {
    if (now - this.useless.since >= 1000) this.useless = { count: 0, since: now };
    if (this.questions.size + this.useless.count < MAX_QUESTIONS) return;
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
      // The keys of the last answer stay open: it may be right again.
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
    // Last, so that a set that both answers name stays open.
    before?.release();
    return known;
  }

  /** Closes keys beyond the limit, and those that nobody has used since their answer ran out. */
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
    this.useless.count++;
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

  /** For a token whose issuer cannot be known: others are not concerned. */
  private unavailable(iss: string, error: unknown): IssuerUnavailableException {
    if (this.failureLog.due())
      this.logger.error(
        `The option issuerResolver of AuthModule has no answer for ${shown(iss)}, whose tokens get 503: ${error instanceof Error ? error.message : 'it threw what is no Error'}`,
      );
    return new IssuerUnavailableException();
  }
}

/** Callers in JavaScript may answer anything. @throws Error for what is not about this issuer */
function assertOfIssuer(found: unknown, iss: string): asserts found is ResolvedIssuer {
  if (!isJsonObject(found)) throw new Error('the answer is neither an object nor undefined');
  if (found.issuer !== undefined && found.issuer !== iss)
    throw new Error(`the answer is about another issuer: ${shown(found.issuer)}`);
  if (found.own !== undefined && found.own !== false)
    throw new Error("'own' is set, and an issuer that is not listed is never our own");
}

/** @throws Error when there is no answer in time */
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

/** What a token or an answer says is quoted in part, on one line. */
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 200);
