import cluster, { type Worker } from 'node:cluster';
import type { Logger } from '../../logging/index.js';
import type { Answers, Question } from '../../management/index.js';
import { KeyReads } from './key-reads.js';
import { isToPrimary, type ToWorker } from './messages.js';
import { RespawnPolicy, STABLE_MS } from './respawn-policy.js';

/**
 * Longest wait for a worker's answer, in milliseconds. A worker that hangs must not block a scrape, or a page for long.
 * An explanation may send requests to issuers.
 */
const TIMEOUTS_MS: Readonly<Record<Question, number>> = {
  metrics: 1000,
  status: 3000,
  facts: 10_000,
  explanation: 10_000,
};
/**
 * A worker that sends nothing for this long, in milliseconds, hangs or was stopped. It is replaced, since the system
 * still gives it its share of new connections.
 */
const SILENCE_MS = 6000;
/** Longest time for a worker to start, in milliseconds. */
const BOOT_MS = 60_000;
const SILENCE_CHECK_MS = 1000;
/** After so many milliseconds without a check, this process itself was blocked and has not read its messages. */
const LATE_MS = 3000;
/** Milliseconds from a worker's own deadline until it is killed. */
const KILL_MARGIN_MS = 200;
/** Milliseconds between attempts to replace a worker in a crash loop while other workers serve. */
const RETRY_MS = 60_000;

interface Member {
  readonly worker: Worker;
  /** When the worker began to serve, in milliseconds of the monotonic clock. */
  listeningSince?: number;
  /** When the last message of the worker came, on the same clock. */
  lastSeen: number;
  /** True if a reload came during its start, when it may have read its files already. */
  missedReload?: boolean;
}

/** The events that the pool reports. */
export interface PoolEvents {
  /** All workers listen for the first time. */
  readonly ready: () => void;
  /** The gateway cannot go on, for these reasons, one line each. */
  readonly failed: (problems: readonly string[]) => void;
  /** A worker ended, so it no longer answers questions for metrics. */
  readonly gone: (id: number) => void;
}

/** Starts the workers, replaces those that end, and shuts all of them down. */
export class WorkerPool {
  restarts = 0;
  private readonly policy = new RespawnPolicy();
  private readonly members = new Map<number, Member>();
  private readonly answers = new Map<number, (answer: unknown) => void>();
  private readonly keyReads = new KeyReads();
  private questions = 0;
  private ready = false;
  private ending = false;
  private checkedAt = 0;

  /** @param env further variables for the workers, beside the environment of this process */
  constructor(
    private readonly size: number,
    private readonly env: Readonly<Record<string, string>>,
    private readonly events: PoolEvents,
    private readonly logger: Logger,
  ) {
    // JSON cannot hold all values of metrics, e.g. infinity.
    cluster.setupPrimary({ serialization: 'advanced' });
    cluster.on('message', (worker, message: unknown) => this.onMessage(worker, message));
    cluster.on('exit', (worker, code, signal: string | null) =>
      this.onExit(worker, signal ?? `code ${code}`),
    );
    // No worker outlives this process, whatever ends it.
    process.on('exit', () => this.kill());
  }

  start(): void {
    for (let i = 0; i < this.size; i++) this.fork();
    this.checkedAt = performance.now();
    setInterval(() => this.killSilent(), SILENCE_CHECK_MS).unref();
  }

  /** Number of workers that serve. */
  get serving(): number {
    return this.listening().length;
  }

  /** Asks all serving workers. The answer is `undefined` for a worker that does not answer. */
  async askAll<Name extends Question>(
    name: Name,
  ): Promise<[id: number, answer: Answers[Name] | undefined][]> {
    const answers = await Promise.all(
      this.listening().map(async ({ worker }): Promise<[number, Answers[Name] | undefined]> => [
        worker.id,
        await this.ask(worker, name),
      ]),
    );
    return answers.filter(([id]) => this.members.has(id));
  }

  /** Asks one serving worker. The answer is `undefined` if it does not answer, or if no worker serves. */
  async askOne<Name extends Question>(
    name: Name,
    about?: unknown,
  ): Promise<Answers[Name] | undefined> {
    // The worker with the latest message: the last message of one that hangs is older.
    const [member] = this.listening().toSorted((one, other) => other.lastSeen - one.lastSeen);
    return member && this.ask(member.worker, name, about);
  }

  /**
   * Tells every worker to shut down, and kills those that have not ended after `timeoutMs`.
   *
   * @returns true when no worker had to be killed
   */
  async shutDown(timeoutMs: number): Promise<boolean> {
    this.ending = true;
    let forced = false;
    const ended = new Promise<void>((resolve) => {
      cluster.on('exit', () => this.members.size === 0 && resolve());
    });
    for (const { worker, listeningSince } of this.members.values())
      if (listeningSince === undefined) worker.process.kill('SIGKILL');
      else send(worker, { signet: 'shut-down' });
    const timer = setTimeout(() => {
      forced = true;
      this.kill();
    }, timeoutMs + KILL_MARGIN_MS);
    if (this.members.size > 0) await ended;
    clearTimeout(timer);
    return !forced;
  }

  /** Makes every worker read its files again; a worker that is being started does so once it serves. */
  reload(): void {
    this.keyReads.clear();
    for (const member of this.members.values())
      if (member.listeningSince === undefined) member.missedReload = true;
      else send(member.worker, { signet: 'reload' });
  }

  private fork(): void {
    const worker = cluster.fork(this.env);
    // A broken channel needs no handling: the worker ends as well.
    worker.on('error', () => undefined);
    this.members.set(worker.id, { worker, lastSeen: performance.now() });
  }

  private onListening(member: Member): void {
    member.listeningSince = member.lastSeen;
    if (member.missedReload === true) send(member.worker, { signet: 'reload' });
    if (this.ready) this.logger.log(`Worker ${member.worker.id} serves`);
    else if (this.serving === this.size) {
      this.ready = true;
      this.events.ready();
    }
  }

  private onMessage({ id }: Worker, message: unknown): void {
    const member = this.members.get(id);
    if (member === undefined || !isToPrimary(message)) return;
    member.lastSeen = performance.now();
    if (message.signet === 'answer') this.answers.get(message.id)?.(message.answer);
    else if (message.signet === 'listening') this.onListening(member);
    else if (message.signet === 'boot-failed') this.onBootFailed(id, message.problems);
    else if (message.signet === 'keys-read') this.keyReads.take(message.source, message.answer);
    else if (message.signet === 'read-keys') {
      const tell = (answer: ToWorker): void => send(member.worker, answer);
      this.keyReads.ask({ worker: id, id: message.id, tell }, message.source, message.fresh);
    }
  }

  private onBootFailed(id: number, problems: readonly string[]): void {
    if (!this.ready) this.events.failed(problems);
    else for (const problem of problems) this.logger.error(`Worker ${id}: ${problem}`);
  }

  private onExit({ id }: Worker, how: string): void {
    const member = this.members.get(id);
    this.members.delete(id);
    this.events.gone(id);
    this.keyReads.forget(id);
    if (this.ending || member === undefined) return;
    const now = performance.now();
    const since = member.listeningSince;
    const delay = this.policy.delay(since === undefined ? 0 : now - since, now);
    const replace = delay ?? (this.hasStable(now) ? RETRY_MS : undefined);
    if (replace === undefined) {
      this.events.failed([`workers end as soon as they start (the last one with ${how})`]);
      return;
    }
    this.logger.error(`Worker ${id} ended with ${how}; replaced in ${replace} ms`);
    setTimeout(() => {
      if (this.ending) return;
      this.restarts++;
      this.fork();
    }, replace);
  }

  private hasStable(now: number): boolean {
    return this.listening().some(({ listeningSince = now }) => now - listeningSince >= STABLE_MS);
  }

  private ask<Name extends Question>(
    worker: Worker,
    name: Name,
    about?: unknown,
  ): Promise<Answers[Name] | undefined> {
    const id = this.questions++;
    return new Promise<Answers[Name] | undefined>((resolve) => {
      const timer = setTimeout(resolve, TIMEOUTS_MS[name], undefined);
      this.answers.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer as Answers[Name] | undefined);
      });
      send(worker, { signet: 'question', id, name, about });
    }).finally(() => this.answers.delete(id));
  }

  private killSilent(): void {
    const now = performance.now();
    const isLate = now - this.checkedAt > LATE_MS;
    this.checkedAt = now;
    if (isLate) for (const member of this.members.values()) member.lastSeen = now;
    for (const { worker, lastSeen, listeningSince } of this.members.values())
      if (now - lastSeen > (listeningSince === undefined ? BOOT_MS : SILENCE_MS)) {
        this.logger.error(`Worker ${worker.id} hangs, and is ended`);
        worker.process.kill('SIGKILL');
      }
  }

  private kill(): void {
    for (const { worker } of this.members.values()) worker.process.kill('SIGKILL');
  }

  private listening(): Member[] {
    return [...this.members.values()].filter(({ listeningSince }) => listeningSince !== undefined);
  }
}

const send = (worker: Worker, message: ToWorker): void => {
  if (worker.isConnected()) worker.send(message, () => undefined);
};
