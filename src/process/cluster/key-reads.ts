import type { Freshness } from '../../jwks/index.js';
import type { KeyAnswer, ToWorker } from './messages.js';

type Tell = (message: ToWorker) => void;
/** A request of a worker for the keys of a source. */
interface Asking {
  readonly worker: number;
  readonly id: number;
  readonly tell: Tell;
}
interface Source {
  /** Id of the worker that reads the source at present. */
  reader: number | undefined;
  waiting: Asking[];
  /** Requests since {@link KeyReads.clear}, for which the read in progress may be too old. `undefined` before. */
  later: Asking[] | undefined;
  answer: KeyAnswer | undefined;
  /** When the answer came, in milliseconds of the monotonic clock. */
  answeredAt: number;
}

/** Largest number of sources that are kept. Each tenant may have its own. */
const MAX_SOURCES = 200;

/**
 * Runs in the primary and decides which worker reads which remote key set. One worker at a time reads a set, and its
 * result answers the requests of all workers within their cooldown. So the machine sends a provider no more requests
 * than one process would.
 */
export class KeyReads {
  private readonly sources = new Map<string, Source>();

  /** Answers a request, now or when the source has been read, or tells the worker to read the source itself. */
  ask(asking: Asking, name: string, fresh: Freshness): void {
    const source = this.sourceOf(name);
    const { answer } = source;
    const age = performance.now() - source.answeredAt;
    if (answer !== undefined && age < ('problem' in answer ? fresh.failure : fresh.document))
      asking.tell({ signet: 'keys', id: asking.id, answer });
    else if (source.reader === undefined) appoint(source, asking);
    else (source.later ?? source.waiting).push(asking);
  }

  /** Takes what a worker has read, and answers the requests that wait for it. */
  take(name: string, answer: KeyAnswer): void {
    const source = this.sourceOf(name);
    const { waiting, later = [] } = source;
    source.answer = source.later === undefined ? answer : undefined;
    source.answeredAt = performance.now();
    for (const { id, tell } of waiting) tell({ signet: 'keys', id, answer });
    appointFirst(source, later);
  }

  /** Drops the requests of a worker that ended. Another worker reads the sources that it was reading. */
  forget(worker: number): void {
    for (const source of this.sources.values()) {
      source.waiting = source.waiting.filter((one) => one.worker !== worker);
      source.later = source.later?.filter((one) => one.worker !== worker);
      // A read that begins now is new enough for all requests.
      if (source.reader === worker)
        appointFirst(source, [...source.waiting, ...(source.later ?? [])]);
    }
  }

  /** Makes every source be read again, also one that is being read: it may have changed since that read began. */
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

  /** Drops the oldest source for which no request waits. */
  private makeRoom(): void {
    for (const [name, { reader, answer }] of this.sources)
      if (reader === undefined && answer !== undefined) {
        this.sources.delete(name);
        return;
      }
  }
}

/** Lets the worker of the first request read for all of them. Without requests, no worker reads. */
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
