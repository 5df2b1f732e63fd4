import type { Freshness } from '../../jwks/index.js';
import type { KeyAnswer, ToWorker } from './messages.js';

type Tell = (message: ToWorker) => void;
/** A worker that wants the keys of a source. */
interface Asking {
  readonly worker: number;
  readonly id: number;
  readonly tell: Tell;
}
interface Source {
  /** Who reads it at present. */
  reader: number | undefined;
  waiting: Asking[];
  answer: KeyAnswer | undefined;
  /** Milliseconds of the monotonic clock. */
  answeredAt: number;
}

/** Sources that are remembered; tenants may have one each. */
const MAX_SOURCES = 200;

/**
 * Which worker reads which remote key set, in the primary: one at a time, and what it has read is the answer to all
 * who ask within their cooldown. So a machine asks a provider as often as one process would.
 */
export class KeyReads {
  private readonly sources = new Map<string, Source>();

  /** @param tell sends a message to the worker */
  ask(asking: Asking, name: string, fresh: Freshness): void {
    const source = this.sourceOf(name);
    const { answer } = source;
    const age = performance.now() - source.answeredAt;
    if (answer !== undefined && age < ('problem' in answer ? fresh.failure : fresh.document))
      asking.tell({ signet: 'keys', id: asking.id, answer });
    else if (source.reader === undefined) appoint(source, asking);
    else source.waiting.push(asking);
  }

  /** What a worker has read. */
  take(name: string, answer: KeyAnswer): void {
    const source = this.sourceOf(name);
    const { waiting } = source;
    Object.assign(source, {
      answer,
      answeredAt: performance.now(),
      reader: undefined,
      waiting: [],
    } satisfies Source);
    for (const { id, tell } of waiting) tell({ signet: 'keys', id, answer });
  }

  /** A worker has ended: another one reads what it was to read. */
  forget(worker: number): void {
    for (const source of this.sources.values()) {
      source.waiting = source.waiting.filter((one) => one.worker !== worker);
      if (source.reader !== worker) continue;
      source.reader = undefined;
      const next = source.waiting.shift();
      if (next !== undefined) appoint(source, next);
    }
  }

  /** Everything has to be read again. */
  clear(): void {
    for (const source of this.sources.values()) source.answer = undefined;
  }

  private sourceOf(name: string): Source {
    const known = this.sources.get(name);
    if (known !== undefined) return known;
    const source: Source = { reader: undefined, waiting: [], answer: undefined, answeredAt: 0 };
    this.sources.set(name, source);
    if (this.sources.size > MAX_SOURCES) this.makeRoom();
    return source;
  }

  /** Drops the oldest that nobody waits for. */
  private makeRoom(): void {
    for (const [name, { reader, answer }] of this.sources)
      if (reader === undefined && answer !== undefined) {
        this.sources.delete(name);
        return;
      }
  }
}

function appoint(source: Source, { worker, id, tell }: Asking): void {
  source.reader = worker;
  tell({ signet: 'keys', id });
}
