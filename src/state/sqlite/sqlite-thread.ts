import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { steadyMs } from '../clock-record.js';
import {
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import type { Answer, FromThread, Operations, ThreadData, ToThread } from './protocol.js';

/** Longest time for an operation, in milliseconds. It takes longer only when the disk hangs. */
const DEADLINE_MS = 5000;
const SWEEP_MS = 250;
/** Most operations that may be pending; further ones are refused, as the thread seems to do none. */
const MAX_PENDING = 20_000;
const RESTART_MS = 1000;
const CLOSE_MS = 3000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StateUnavailableException) => void;
  readonly deadline: number;
}

/** A database in a thread of its own, so that waiting for the disk does not block the event loop. */
export class SqliteThread<Known extends { [Name in keyof Known]: Operations[string] }> {
  /** Why nothing can be written at present, as far as the thread has said. */
  readOnly: string | undefined;
  private readonly pending = new Map<number, Pending>();
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  private worker: Worker | undefined;
  private startedAt = -Infinity;
  private nextId = 0;
  private closed = false;

  private constructor(
    private readonly data: ThreadData,
    private readonly startWorker: (data: ThreadData) => Worker,
  ) {}

  /** @throws Error whose message says why the file cannot be used */
  static async open<Known extends { [Name in keyof Known]: Operations[string] }>(
    data: ThreadData,
  ): Promise<SqliteThread<Known>> {
    // Loaded only here: test runners that compile everything to CommonJS cannot load this file, and need not.
    const { startWorker, startProblem } = await import('./start-worker.js');
    const thread = new SqliteThread<Known>(data, startWorker);
    try {
      await thread.start();
      return thread;
    } catch (error) {
      await thread.close();
      throw startProblem(error);
    }
  }

  /**
   * @throws StateReadOnlyException when nothing can be written at present
   * @throws StateUnavailableException when the operation failed, or its outcome is not known in time
   */
  call<Name extends keyof Known & string>(
    name: Name,
    ...args: Parameters<Known[Name]>
  ): Promise<ReturnType<Known[Name]>> {
    return new Promise((resolve, reject) => {
      const worker = this.worker ?? this.restart();
      if (worker === undefined || this.pending.size >= MAX_PENDING) {
        reject(
          this.unavailable(worker === undefined ? 'its thread has ended' : 'it is overloaded'),
        );
        return;
      }
      const id = this.nextId++;
      const deadline = steadyMs() + DEADLINE_MS;
      this.pending.set(id, {
        resolve: resolve as (value: unknown) => void,
        reject,
        deadline,
      });
      worker.postMessage({ id, name, args, deadline } satisfies ToThread);
    });
  }

  /** Lets pending operations finish, for at most {@link CLOSE_MS}, then ends the thread. */
  async close(): Promise<void> {
    this.closed = true;
    const { worker } = this;
    if (worker !== undefined) {
      // A thread that crashes meanwhile exits as well.
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage('close' satisfies ToThread);
      await Promise.race([ended, sleep(CLOSE_MS, undefined, { ref: false })]);
      await worker.terminate();
    }
    clearInterval(this.sweeper);
  }

  private async start(): Promise<void> {
    const worker = this.spawn();
    const [message] = (await once(worker, 'message')) as [FromThread];
    if (!('opened' in message)) return;
    if (!message.opened) throw new Error(message.reason);
    this.readOnly = message.readOnly;
  }

  private spawn(): Worker {
    this.startedAt = performance.now();
    const worker = this.startWorker(this.data);
    this.worker = worker;
    worker.on('message', (message: FromThread) => {
      if (!('answers' in message)) return;
      this.readOnly = message.readOnly;
      message.answers.forEach((answer) => this.settle(answer));
    });
    // An 'exit' follows, which is handled; an 'error' event without a listener would end the process.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.rejectAll('its thread has ended');
    });
    return worker;
  }

  private restart(): Worker | undefined {
    const due = performance.now() - this.startedAt >= RESTART_MS;
    return due && !this.closed ? this.spawn() : undefined;
  }

  private settle(answer: Answer): void {
    const pending = this.pending.get(answer.id);
    this.pending.delete(answer.id);
    if (!('reason' in answer)) pending?.resolve(answer.value);
    else if (answer.refused === true)
      pending?.reject(new StateReadOnlyException(this.describe(answer.reason)));
    else pending?.reject(this.unavailable(answer.reason));
  }

  private sweep(): void {
    const now = steadyMs();
    for (const [id, { deadline, reject }] of this.pending) {
      if (deadline > now) return;
      this.pending.delete(id);
      reject(this.unavailable(`it took more than ${DEADLINE_MS / 1000} s`));
    }
  }

  private rejectAll(reason: string): void {
    for (const { reject } of this.pending.values()) reject(this.unavailable(reason));
    this.pending.clear();
  }

  private unavailable(reason: string): StateUnavailableException {
    return new StateUnavailableException(this.describe(reason));
  }

  private describe(reason: string): string {
    return `sqlite:${this.data.file}: ${reason}`;
  }
}
