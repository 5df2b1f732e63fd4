import type { Revocation } from '../../core/revocation/index.js';
import { StateUnavailableException } from '../state-unavailable.exception.js';

/** Most revocations that one statement adds. */
const AT_ONCE = 500;
/** Most revocations that may wait; further ones are refused, as the server seems to add none. */
const MAX_WAITING = 2000;

/** A revocation to be added; see `addRevocation` of `StateStore`. */
export interface Addition {
  readonly revocation: Revocation;
  readonly reach?: number;
}

interface Waiting {
  readonly addition: Addition;
  readonly done: PromiseWithResolvers<Revocation>;
}

/**
 * Adds revocations with one statement at a time: a statement locks the end of the history until its commit, so that
 * several would only wait for each other. Revocations that arrive meanwhile are added together by the next statement.
 */
export class AdditionQueue {
  /** Additions of the next statements, by id of the revocation. */
  private waiting = new Map<string, Waiting>();
  private running = false;

  /** @param write adds all revocations or none, and returns them as they are kept */
  constructor(private readonly write: (additions: readonly Addition[]) => Promise<Revocation[]>) {}

  /** @throws what `write` throws; StateUnavailableException when too many revocations wait */
  async add(addition: Addition): Promise<Revocation> {
    const { id } = addition.revocation;
    const there = this.waiting.get(id);
    if (there !== undefined) return there.done.promise;
    if (this.waiting.size >= MAX_WAITING)
      throw new StateUnavailableException(`${MAX_WAITING} revocations wait to be added`);
    const done = Promise.withResolvers<Revocation>();
    this.waiting.set(id, { addition, done });
    void this.run();
    return done.promise;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()].slice(0, AT_ONCE);
      for (const { addition } of batch) this.waiting.delete(addition.revocation.id);
      await this.writeAll(batch);
    }
    this.running = false;
  }

  private async writeAll(batch: readonly Waiting[]): Promise<void> {
    try {
      const kept = await this.write(batch.map(({ addition }) => addition));
      const byId = new Map(kept.map((revocation) => [revocation.id, revocation]));
      for (const { addition, done } of batch)
        done.resolve(byId.get(addition.revocation.id) ?? addition.revocation);
    } catch (error) {
      for (const { done } of batch) done.reject(error);
    }
  }
}
