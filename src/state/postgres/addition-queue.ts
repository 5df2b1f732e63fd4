import type { Revocation } from '../../core/revocation/index.js';
import { StateUnavailableException } from '../state-unavailable.exception.js';

/** Revocations of one statement. */
const AT_ONCE = 500;
/** Revocations that wait; more of them mean that nothing is done. */
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
 * Adds revocations one statement after the other: each has the end of the history locked until its commit, so that
 * many at a time would only wait for each other. What comes while one is under way is in the next one together.
 */
export class AdditionQueue {
  /** By id. */
  private waiting = new Map<string, Waiting>();
  private running = false;

  /** @param write adds all or none, and returns them as they are kept */
  constructor(private readonly write: (additions: readonly Addition[]) => Promise<Revocation[]>) {}

  /** @throws what `write` throws */
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
