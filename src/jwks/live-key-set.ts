import {
  KeyError,
  type KeyDocument,
  type KeyProvider,
  KeySet,
  type KeyIdentifyStrategy,
} from '../core/keys/index.js';
import { RemoteSchedule } from './remote/remote-schedule.js';
import { readShared } from './remote/shared-reads.js';
import { SourceHealth } from './source-health.js';

/** Checks a new set. It throws a `KeyError` to refuse the set. */
export type KeySetCheck = (candidate: KeySet, document: KeyDocument) => void;

const LOCAL_RETRY_MS = 1000;
/** Longest time to reuse a failure of another process while there are no keys, in milliseconds, for a fast recovery. */
const URGENT_MS = 1000;

/**
 * The last good set of one provider. A new set is parsed and checked as a whole, and then replaces the old one in one
 * step. A bad set changes nothing.
 */
export class LiveKeySet {
  private readonly checks: KeySetCheck[] = [];
  private readonly health: SourceHealth;
  private readonly schedule: RemoteSchedule | undefined;
  private set: KeySet | undefined;
  private everArrived = false;
  private takenAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> | undefined;
  private unwatch: (() => void) | undefined;
  private closed = false;

  /** True: the process is not ready before the first set has arrived. */
  needed = false;
  /** `alg` values that the owner of the set announces; `undefined` if it announces none. */
  algorithms: readonly string[] | undefined;

  /**
   * @param strategy how tokens name a key of this set. Default: the option `identifyStrategy` of the module
   * @param name name of the source for reads that processes share; see `SharedRead`. Default: reads are not shared
   */
  constructor(
    readonly provider: KeyProvider,
    readonly strategy?: KeyIdentifyStrategy,
    private readonly name?: string,
  ) {
    this.health = new SourceHealth(provider.source);
    if (provider.refresh !== undefined) this.schedule = new RemoteSchedule(provider.refresh);
  }

  /** The last good set; `undefined` until a remote set has arrived, and again once it is too old. */
  get current(): KeySet | undefined {
    return this.set;
  }

  /** True once a set has arrived, also if it was dropped later. */
  get arrived(): boolean {
    return this.everArrived;
  }

  /** Seconds since the source stopped giving a usable set; 0 while it gives one. */
  get staleSeconds(): number {
    return this.health.staleSeconds;
  }

  /** Seconds since the present set was loaded; `undefined` while there is none. */
  get ageSeconds(): number | undefined {
    return this.set === undefined ? undefined : (performance.now() - this.takenAt) / 1000;
  }

  /** Why the source gives no usable set; `undefined` while it gives one. */
  get problem(): string | undefined {
    return this.health.problem;
  }

  /** Adds a check for the present set and all further ones. @throws KeyError when the present set fails it */
  require(check: KeySetCheck): void {
    if (this.set !== undefined) check(this.set, { text: '' });
    this.checks.push(check);
  }

  /** Loads the first set and begins to follow the source. @throws KeyError when a local set cannot be used */
  open(): Promise<void> {
    const opening = this.takeFirst();
    // Another read at the same time could find a later set and end first; the earlier set would replace it.
    this.refreshing = opening
      .catch(() => undefined)
      .finally(() => {
        this.refreshing = undefined;
      });
    return opening;
  }

  private async takeFirst(): Promise<void> {
    try {
      this.take(...(await this.load()));
    } catch (error) {
      if (!(error instanceof KeyError && this.provider.remote)) throw error;
      this.keepOrDrop(error);
    }
    if (this.closed) return;
    this.scheduleNext();
    this.unwatch = this.provider.watch(() => this.reload());
  }

  /** Reads the source again. Calls at the same time share one read. Never throws. */
  refresh(): Promise<void> {
    this.refreshing ??= this.replace().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** Reads a source again that may have changed. A read that is under way may be too early, so another one follows. */
  reload(): void {
    void this.follow();
  }

  private async follow(): Promise<void> {
    await this.refreshing;
    if (!this.closed) await this.refresh();
  }

  /**
   * Reads the source again for a key that is not in the set. All callers share one read, and there is at most one per
   * cooldown.
   *
   * @returns `undefined` when there is no read to wait for
   */
  refetch(): Promise<void> | undefined {
    if (this.schedule === undefined || this.closed) return undefined;
    if (this.refreshing !== undefined) return this.refreshing;
    return this.schedule.mayFetch(performance.now()) ? this.refresh() : undefined;
  }

  close(): void {
    this.closed = true;
    this.unwatch?.();
    clearTimeout(this.timer);
    this.provider.close?.();
  }

  /** Closes the set and drops its keys. A request that still asks for a key gets `KeysUnavailableException`. */
  discard(): void {
    this.close();
    this.set = undefined;
  }

  private async replace(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const [candidate, { algorithms }] = await this.load();
      const news = this.isNews(candidate) ? candidate.describeKids() : undefined;
      this.take(candidate, { algorithms }, news);
    } catch (error) {
      this.keepOrDrop(error);
    }
    this.scheduleNext();
  }

  private async load(): Promise<[KeySet, Pick<KeyDocument, 'algorithms'>]> {
    const { source, publicOnly } = this.provider;
    const document = await this.read();
    const candidate = KeySet.parse(document.text, source, publicOnly);
    for (const check of this.checks) check(candidate, document);
    return [candidate, document];
  }

  private read(): Promise<KeyDocument> {
    const { provider, name, set } = this;
    if (name === undefined || provider.refresh === undefined) return provider.read();
    const document = provider.refresh.cooldown * 1000;
    const failure = set === undefined ? Math.min(URGENT_MS, document) : document;
    return readShared(name, { document, failure }, () => provider.read());
  }

  /** True if a new set is logged. A remote set is fetched regularly, so it is logged only when it changes something. */
  private isNews(candidate: KeySet): boolean {
    return (
      this.schedule === undefined ||
      this.health.isStale ||
      candidate.fingerprint !== this.set?.fingerprint
    );
  }

  private take(
    candidate: KeySet,
    { algorithms }: Pick<KeyDocument, 'algorithms'>,
    news?: string,
  ): void {
    // Closed during the read: nothing would drop these keys again.
    if (this.closed) return;
    this.set = candidate;
    this.algorithms = algorithms;
    this.everArrived = true;
    this.takenAt = performance.now();
    this.health.good(news);
    this.schedule?.settled(true, performance.now());
  }

  private keepOrDrop(error: unknown): void {
    // The call was aborted by close().
    if (this.closed) return;
    const now = performance.now();
    this.schedule?.settled(false, now);
    if (this.schedule?.isTooStale(now) === true) this.set = undefined;
    this.health.bad(
      error,
      this.set === undefined ? 'there are no keys' : 'the last good keys stay in use',
    );
  }

  /** Schedules the next automatic read. */
  private scheduleNext(): void {
    const { schedule, health } = this;
    const delay =
      schedule === undefined
        ? health.isStale
          ? LOCAL_RETRY_MS
          : undefined
        : schedule.delay(this.set !== undefined);
    clearTimeout(this.timer);
    if (delay === undefined || this.closed) return;
    this.timer = setTimeout(() => void this.refresh(), delay).unref();
  }
}
