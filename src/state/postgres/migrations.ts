import { assertReadable, SCHEMA } from '../schema.js';
import type { PostgresSession } from './postgres-session.js';
import { isConcurrentCreation } from './sql-states.js';

const MIGRATION_MS = 60_000;
const ATTEMPTS = 10;

/**
 * Each migration leads from one version of the tables to the next; the first one creates them. New migrations are only
 * appended: one that was released never changes.
 */
const MIGRATIONS: readonly ((schema: string) => string)[] = [
  (schema) => `
    CREATE TABLE "${schema}".state (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      history uuid NOT NULL DEFAULT gen_random_uuid(),
      version bigint NOT NULL DEFAULT 0,
      incomplete_until float8 NOT NULL DEFAULT 0,
      latest_expiry float8 NOT NULL DEFAULT 0
    );
    INSERT INTO "${schema}".state DEFAULT VALUES;
    -- Texts are as long as claims are, so that a tree could not hold them.
    CREATE TABLE "${schema}".revocation (
      version bigint PRIMARY KEY,
      id text NOT NULL UNIQUE,
      kind text NOT NULL,
      value text NOT NULL,
      before float8,
      reason text,
      created_at float8 NOT NULL,
      expires_at float8,
      removed_from bigint
    );
    CREATE INDEX revocation_value ON "${schema}".revocation USING hash (value);
    CREATE INDEX revocation_expiry ON "${schema}".revocation (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE "${schema}".consumed (
      id text PRIMARY KEY,
      nonce text NOT NULL,
      expires_at float8 NOT NULL,
      used_at float8,
      replay text,
      replay_until float8 NOT NULL
    );
    CREATE INDEX consumed_expiry ON "${schema}".consumed (expires_at);
    CREATE INDEX consumed_replay ON "${schema}".consumed (replay_until) WHERE replay IS NOT NULL;
    CREATE TABLE "${schema}".session_owner (owner text PRIMARY KEY, expires_at float8 NOT NULL);
    CREATE INDEX session_owner_expiry ON "${schema}".session_owner (expires_at);
    CREATE TABLE "${schema}".session (
      owner text NOT NULL,
      -- A digest: texts are as long as claims are.
      key bytea NOT NULL,
      expires_at float8 NOT NULL,
      record text NOT NULL,
      PRIMARY KEY (owner, key)
    );
    CREATE INDEX session_expiry ON "${schema}".session (expires_at);
    -- Each statement of a function sees what was committed before it began. The row of the owner is locked, so
    -- that of those who put sessions at the same time each sees all that were put before.
    CREATE FUNCTION "${schema}".put_session(the_owner text, the_key bytea, ends_at float8, the_record text)
      RETURNS SETOF text LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO "${schema}".session_owner AS o VALUES (the_owner, ends_at)
          ON CONFLICT (owner) DO UPDATE SET expires_at = greatest(o.expires_at, ends_at);
        INSERT INTO "${schema}".session VALUES (the_owner, the_key, ends_at, the_record)
          ON CONFLICT (owner, key) DO UPDATE SET expires_at = ends_at, record = the_record;
        RETURN QUERY SELECT record FROM "${schema}".session
          WHERE owner = the_owner AND expires_at > extract(epoch FROM clock_timestamp());
      END $$;
    CREATE TABLE "${schema}".kept (name bytea PRIMARY KEY, value text NOT NULL, ends_at float8 NOT NULL);
    CREATE INDEX kept_end ON "${schema}".kept (ends_at);
    CREATE UNLOGGED TABLE "${schema}".counter (
      key bytea PRIMARY KEY, hits bigint NOT NULL, ends_at float8 NOT NULL
    ) WITH (fillfactor = 50);
    CREATE INDEX counter_end ON "${schema}".counter (ends_at);`,
];

/**
 * Creates the tables, or migrates them to this version. Writes nothing if they are up to date, so that a standby, or a
 * user that may only read and write rows, is enough.
 *
 * @throws Error when the version of the tables is not known, or they cannot be created
 */
export async function migrate(session: PostgresSession, schema: string): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      const found = await versionOf(session, schema);
      assertReadable(found);
      if (found !== undefined && found >= SCHEMA) return;
      await upgrade(session, schema);
      return;
    } catch (error) {
      // Another gateway that starts at the same time has created them; look again.
      if (!isConcurrentCreation(error) || attempt === ATTEMPTS) throw error;
    }
}

/** @returns the version of the tables; `undefined` if there are none yet */
async function versionOf(session: PostgresSession, schema: string): Promise<number | undefined> {
  const table = `"${schema}".migration`;
  const [there] = await ask(session, `SELECT to_regclass('${table}') IS NOT NULL AS there`);
  if (there?.there !== true) return undefined;
  const [row] = await ask(session, `SELECT max(version) AS version FROM ${table}`);
  return row?.version === null ? undefined : Number(row?.version);
}

async function upgrade(session: PostgresSession, schema: string): Promise<void> {
  const table = `"${schema}".migration`;
  // An existing schema is not created again: the user may lack the privilege to create schemas.
  const [there] = await ask(session, `SELECT to_regnamespace('"${schema}"') IS NOT NULL AS there`);
  await ask(session, `BEGIN; SET LOCAL statement_timeout = ${MIGRATION_MS}`);
  try {
    if (there?.there !== true) await ask(session, `CREATE SCHEMA "${schema}"`);
    await ask(
      session,
      `CREATE TABLE IF NOT EXISTS ${table} (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
       LOCK TABLE ${table} IN EXCLUSIVE MODE`,
    );
    // Another gateway may have migrated while this one waited for the lock.
    const found = (await versionOf(session, schema)) ?? 0;
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < found) continue;
      await ask(session, migration(schema));
      await ask(session, `INSERT INTO ${table} (version) VALUES (${index + 1})`);
    }
    await ask(session, 'COMMIT');
  } catch (error) {
    if (!session.ended) await ask(session, 'ROLLBACK');
    throw error;
  }
}

const ask = (session: PostgresSession, text: string) => session.query({ text }, [], MIGRATION_MS);
