import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** What a column holds. */
type Value = string | number | null;

/** A row of a table, by the names of its columns. */
export type Named = Readonly<Record<string, Value>>;

interface Prepared {
  readonly statement: StatementSync;
  columns: readonly string[];
}

/**
 * The statements of a database, each prepared once.
 *
 * Rows are read as lists and named here. For each row that node:sqlite returns as an object, V8 makes a hidden class,
 * 76 bytes that stay until the next collection of the old generation.
 */
export class PreparedStatements {
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  /** @returns how many rows the statement changed */
  run(sql: string, values: readonly Value[] = []): number {
    return Number(this.prepare(sql).statement.run(...values).changes);
  }

  /** @returns the first row */
  get(sql: string, values: readonly Value[] = []): Named | undefined {
    const prepared = this.prepare(sql);
    const row = prepared.statement.get(...values) as readonly Value[] | undefined;
    return row && named(prepared, row);
  }

  all(sql: string, values: readonly Value[] = []): Named[] {
    const prepared = this.prepare(sql);
    const rows = prepared.statement.all(...values) as unknown as readonly (readonly Value[])[];
    return rows.map((row) => named(prepared, row));
  }

  private prepare(sql: string): Prepared {
    let prepared = this.prepared.get(sql);
    if (prepared === undefined) {
      const statement = this.database.prepare(sql);
      statement.setReturnArrays(true);
      prepared = { statement, columns: columnsOf(statement) };
      this.prepared.set(sql, prepared);
    }
    return prepared;
  }
}

const columnsOf = (statement: StatementSync): readonly string[] =>
  statement.columns().map(({ name }) => name);

function named(prepared: Prepared, values: readonly Value[]): Named {
  // SQLite prepares a statement again when another process has changed the tables; then * may stand for more.
  if (values.length !== prepared.columns.length) prepared.columns = columnsOf(prepared.statement);
  const row: Record<string, Value> = {};
  prepared.columns.forEach((column, index) => (row[column] = values[index] ?? null));
  return row;
}
