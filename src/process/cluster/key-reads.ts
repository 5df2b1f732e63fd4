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
  /** There since {@link KeyReads.clear}: those who asked after it, for whom what is being read may be too old. */
  later: Asking[] | undefined;
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
    else (source.later ?? source.waiting).push(asking);
  }

  /** What a worker has read. */
  take(name: string, answer: KeyAnswer): void {
    const source = this.sourceOf(name);
    const { waiting, later = [] } = source;
    source.answer = source.later === undefined ? answer : undefined;
    source.answeredAt = performance.now();
    for (const { id, tell } of waiting) tell({ signet: 'keys', id, answer });
    appointFirst(source, later);
  }

  /** A worker has ended: another one reads what it was to read. */
  forget(worker: number): void {
    for (const source of this.sources.values()) {
      source.waiting = source.waiting.filter((one) => one.worker !== worker);
      source.later = source.later?.filter((one) => one.worker !== worker);
      // What is read from now on is new enough for all of them.
      if (source.reader === worker)
        appointFirst(source, [...source.waiting, ...(source.later ?? [])]);
    }
  }

  /** Everything has to be read again, also what is being read: the source may have changed since that began. */
  clear(): void {
    for (const [name, source] of this.sources)
      if (source.reader === undefined) this.sources.delete(name);
      else source.later ??= [];
  }

  private sourceOf(name: string): Source {
    const known = this.sources.get(name);
    if (known !== undefined) return known;
    const source: Source = {
      reader: undefined,
      waiting: [],
      later: undefined,
      answer: undefined,
      answeredAt: 0,
    };
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

/** The first one reads for all of them; without any, nobody reads. */
function appointFirst(source: Source, [first, ...others]: readonly Asking[]): void {
  Object.assign(source, {
    reader: undefined,
    waiting: others,
    later: undefined,
  } satisfies Partial<Source>);
  if (first !== undefined) appoint(source, first);
}

function appoint(source: Source, { worker, id, tell }: Asking): void {
  source.reader = worker;
  tell({ signet: 'keys', id });
}
