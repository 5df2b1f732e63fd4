import { Forgetting } from '../forgetting.js';
import type { StoreClock } from '../store-clock.js';
import type { Row, Value } from './postgres-session.js';
import { PURGE_ROWS, type Statement, type Statements } from './statements.js';

const PURGE_EVERY_MS = 5000;

/** Deletes expired rows, a limited number at a time. */
export class ExpiredRows {
  private readonly forgetting: Forgetting;
  private purgedAt = -Infinity;
  private purging = false;

  constructor(
    private readonly call: (statement: Statement, values: readonly Value[]) => Promise<Row[]>,
    private readonly statements: Statements,
    clock: StoreClock,
  ) {
    this.forgetting = new Forgetting(clock);
  }

  /** Starts to delete some expired rows, unless that is under way or was just done. Does not wait for the end. */
  purge(): void {
    const now = performance.now();
    if (this.purging || now - this.purgedAt < PURGE_EVERY_MS) return;
    this.purgedAt = now;
    void this.purgeNow(this.forgetting.horizon);
  }

  private async purgeNow(horizon: number | undefined): Promise<void> {
    this.purging = true;
    try {
      if (await this.purgeOnce(horizon)) this.purgedAt = -Infinity;
    } catch {
      // The next purge tries again; other calls report what is wrong with the store.
    } finally {
      this.purging = false;
    }
  }

  /** @returns whether there may be more rows to delete */
  private async purgeOnce(horizon: number | undefined): Promise<boolean> {
    const { purge, purgeShortLived } = this.statements;
    const counts = [];
    for (const statement of purgeShortLived) counts.push(await this.countOf(statement, []));
    if (horizon !== undefined)
      for (const statement of purge) counts.push(await this.countOf(statement, [horizon]));
    return counts.includes(PURGE_ROWS);
  }

  /** @returns how many rows the statement changed */
  private async countOf({ text }: Statement, values: readonly Value[]): Promise<number> {
    const counted = `WITH changed AS (${text} RETURNING 1) SELECT count(*) AS count FROM changed`;
    const [row] = await this.call({ text: counted }, values);
    return Number(row?.count);
  }
}
