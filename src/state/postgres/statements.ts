import { RESTORE_SECONDS } from '../state-store.js';

/**
 * Seconds after a use in which its request may still be waiting for the answer, so that only the window decides
 * whether others get the replay. Shorter than the second after which a client repeats its request if it was told 503:
 * docs/model shows why.
 */
export const LEASE_SECONDS = 0.5;
/** Seconds for which the replay of a use is kept whose request may not have received its answer. */
export const UNKNOWN_SECONDS = 3600;
/** Most rows that one statement deletes; other statements may have to wait for it. */
export const PURGE_ROWS = 2000;

/** A statement; if it has a name, it is prepared once in each session. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** Reads the server's clock: there are several gateways, and their clocks may be wrong. */
const CLOCK = 'extract(epoch FROM clock_timestamp())::float8';
/** Lets the commit not wait for the disk; for what may be lost in a crash of the server. */
const RELAXED = "set_config('synchronous_commit', 'off', true) = 'off'";
const COLUMNS = 'id, kind, value, before, reason, created_at, expires_at';
const ALIVE = `removed_from IS NULL AND (expires_at IS NULL OR expires_at > ${CLOCK})`;

/** Returns the name of the notifications. @param schema holds lower-case letters, digits and _ only */
export const channelOf = (schema: string): string => `signet_${schema}`;

/**
 * The statements of the store. Each is correct by itself, whatever happens at the same time, at the isolation level
 * READ COMMITTED: a statement sees everything that was committed before it began.
 *
 * The row of the table `state` is the end of the history of revocations. A statement that appends to the history locks
 * the row until its commit, so that versions become visible in order: where one is visible, all earlier ones are.
 *
 * @param schema holds lower-case letters, digits and _ only
 */
export function statementsFor(schema: string) {
  const state = `"${schema}".state`;
  const revocation = `"${schema}".revocation`;
  const consumed = `"${schema}".consumed`;
  const kept = `"${schema}".kept`;
  const counter = `"${schema}".counter`;
  const session = `"${schema}".session`;
  const owner = `"${schema}".session_owner`;
  const notify = `pg_notify('${channelOf(schema)}', '')`;

  /** $1 id, $2 nonce, $3 kinds, $4 values, $5 times that `before` is compared with. */
  const asked = `
    asked AS MATERIALIZED (SELECT ${CLOCK} AS now),
    judged AS MATERIALIZED (
      SELECT now, EXISTS (
        SELECT FROM unnest($3::text[], $4::text[], $5::float8[]) AS name (kind, value, time)
          JOIN ${revocation} AS r ON r.value = name.value AND r.kind = name.kind
          WHERE r.removed_from IS NULL AND (r.expires_at IS NULL OR r.expires_at > now)
            AND (r.before IS NULL OR name.time IS NULL OR name.time < r.before)
      ) AS revoked FROM asked
    )`;
  const uses = 'SELECT nonce, used_at, replay, replay_until';
  const outcome = `
    SELECT now, revoked, used.nonce IS NOT NULL AS used, used.nonce = $2 AS same,
      CASE WHEN now < replay_until
        OR used_at IS NOT NULL AND now > used_at + ${LEASE_SECONDS} AND now < used_at + ${UNKNOWN_SECONDS}
        THEN replay END AS replay`;

  /** By the clock after the wait for the row: the holder of its lock may have begun the window during the wait. */
  const inWindow = `c.ends_at > ${CLOCK} AND c.ends_at <= ${CLOCK} + $2::float8`;

  /**
   * Selects rows by their `ctid`, which does not change while they are locked. It goes by the order of an index:
   * otherwise each batch would go through all rows that earlier batches have deleted.
   */
  const some = (table: string, order: string, due: string): string =>
    `ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${due} ORDER BY ${order} LIMIT ${PURGE_ROWS} FOR UPDATE SKIP LOCKED))`;
  const deleteSome = (table: string, order: string, due: string): Statement => ({
    text: `DELETE FROM ${table} WHERE ${some(table, order, due)}`,
  });

  return {
    /**
     * $1 to $7: columns of the entries; $8 how many; $9 reach of each, or null; $10 seconds for which the store is
     * incomplete, or null; $11 the earliest time from which the reach counts, or null. An entry that is there already
     * stays as it is, and is returned.
     */
    add: {
      name: 'signet-add',
      text: `WITH given AS (
          SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[], $6::float8[], $7::float8[], $9::float8[])
            WITH ORDINALITY AS entry (${COLUMNS}, reach, place)
        ), next AS (
          UPDATE ${state} SET version = version + $8::bigint,
            incomplete_until = coalesce(${CLOCK} + $10::float8, incomplete_until)
            RETURNING version, ${CLOCK} AS now, ${notify}
        )
        INSERT INTO ${revocation} AS r (version, ${COLUMNS})
          SELECT next.version - $8::bigint + place, id, kind, value,
            CASE WHEN reach IS NULL THEN before ELSE floor(greatest(now, $11::float8)) + reach END,
            reason, created_at, expires_at
          FROM given, next ORDER BY place
        ON CONFLICT (id) DO UPDATE SET id = r.id
        RETURNING ${COLUMNS}`,
    },

    /** $1 id, $2 seconds for which the removal is remembered if the entry would never have expired. */
    remove: {
      name: 'signet-remove',
      text: `WITH target AS (
          SELECT ${COLUMNS} FROM ${revocation} WHERE id = $1 AND ${ALIVE}
        ), next AS (
          UPDATE ${state} SET version = version + 1 WHERE EXISTS (SELECT FROM target) RETURNING version, ${notify}
        )
        UPDATE ${revocation} AS r SET version = next.version, removed_from = r.version, reason = NULL,
          expires_at = coalesce(r.expires_at, ${CLOCK} + $2::float8)
        FROM target, next WHERE r.id = target.id AND r.removed_from IS NULL
        RETURNING target.*`,
    },

    /** $1 id of the last entry of the previous page, or null; $2 how many. */
    list: {
      name: 'signet-list',
      text: `SELECT ${COLUMNS} FROM ${revocation}
        WHERE version > coalesce((SELECT coalesce(removed_from, version) FROM ${revocation} WHERE id = $1), 0)
          AND ${ALIVE}
        ORDER BY version LIMIT $2::int`,
    },

    /**
     * $1 history of the cursor, or null; $2 its version; $3 id of the entry with that version; $4 whether that was
     * the last entry; $5 how many.
     *
     * The cursor belongs to this history if its entry still has its version: a server that was restored, or took
     * over from another one, has lost the end of the history and assigns its versions again. The last entry is not
     * purged as long as it is the last; a gateway that was away until its entry was purged reads everything again.
     */
    changes: {
      name: 'signet-changes',
      text: `WITH asked AS (
          SELECT history::text AS history, version, incomplete_until, ${CLOCK} AS now,
            pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only
          FROM ${state}
        ), judged AS (
          SELECT *, $1::text IS NOT NULL AND ($1::text <> history OR NOT standby AND $2::bigint > 0 AND (
            $2::bigint > version
            OR EXISTS (SELECT FROM ${revocation} WHERE version = $2::bigint AND id <> $3::text)
            OR $4::boolean AND NOT EXISTS (
              SELECT FROM ${revocation} WHERE id = $3::text AND (version = $2::bigint OR removed_from = $2::bigint))
          )) AS restarted FROM asked
        )
        SELECT history, now, standby, read_only, restarted,
          -- A later one is from before the clock was set back.
          incomplete_until > now AND incomplete_until <= now + ${RESTORE_SECONDS} + 1 AS incomplete, (
          SELECT json_agg(json_build_array(version, removed_from, ${COLUMNS}) ORDER BY version) FROM (
            SELECT version, removed_from, ${COLUMNS} FROM ${revocation}
              WHERE version > CASE WHEN restarted THEN 0 ELSE $2::bigint END ORDER BY version LIMIT $5::int + 1
          ) AS page
        ) AS rows FROM judged`,
    },

    /** Parameters: see `asked`. */
    peek: {
      name: 'signet-peek',
      text: `WITH ${asked} ${outcome}, false AS taken, false AS late
        FROM judged LEFT JOIN ${consumed} AS used ON used.id = $1`,
    },

    /**
     * $1 to $5: see `asked`; $6 expiry; $7 replay, or null; $8 seconds for which others get it; $9 whether the use has
     * to be settled; $10 seconds since 1970 after which the caller no longer waits, or null.
     *
     * Returns neither `used` nor `taken` if another request has used the token since the statement began.
     */
    consume: {
      name: 'signet-consume',
      text: `WITH ${asked}, there AS (
          ${uses} FROM ${consumed} WHERE id = $1
        ), taken AS (
          INSERT INTO ${consumed} (id, nonce, expires_at, replay, used_at, replay_until)
            SELECT $1, $2, $6::float8, $7, CASE WHEN $9::boolean THEN now END, now + $8::float8 FROM judged
              WHERE NOT revoked AND NOT EXISTS (SELECT FROM there) AND ($10::float8 IS NULL OR ${CLOCK} <= $10::float8)
            ON CONFLICT (id) DO NOTHING RETURNING id
        )
        ${outcome}, EXISTS (SELECT FROM taken) AS taken, coalesce(now > $10::float8, false) AS late
        FROM judged LEFT JOIN there AS used ON true`,
    },

    /** $1 ids, $2 nonces of uses whose requests have received their answers: from now on only the window counts. */
    settle: {
      name: 'signet-settle',
      text: `UPDATE ${consumed} AS c SET used_at = NULL, replay = CASE WHEN replay_until > ${CLOCK} THEN replay END
        FROM unnest($1::text[], $2::text[]) AS settled (id, nonce)
        WHERE c.id = settled.id AND c.nonce = settled.nonce AND c.used_at IS NOT NULL AND ${RELAXED}`,
    },

    latestExpiry: {
      name: 'signet-latest-expiry',
      text: `SELECT latest_expiry AS latest FROM ${state}`,
    },
    /** $1 exp. */
    noteExpiry: {
      name: 'signet-note-expiry',
      text: `UPDATE ${state} SET latest_expiry = greatest(latest_expiry, $1::float8) RETURNING latest_expiry AS latest`,
    },

    /** $1 owner, $2 key, $3 expiry, $4 the record. */
    putSession: {
      name: 'signet-put-session',
      text: `SELECT put_session AS record FROM "${schema}".put_session($1, $2::bytea, $3::float8, $4)`,
    },
    /** $1 owner. */
    listSessions: {
      name: 'signet-list-sessions',
      text: `SELECT record FROM ${session} WHERE owner = $1 AND expires_at > ${CLOCK}`,
    },
    /** $1 the number at which counting stops. */
    countSessions: {
      name: 'signet-count-sessions',
      text: `SELECT count(*)::int AS count
        FROM (SELECT FROM ${session} WHERE expires_at > ${CLOCK} LIMIT $1::int) AS alive`,
    },
    /** $1 owner, $2 keys. */
    removeSessions: {
      name: 'signet-remove-sessions',
      text: `DELETE FROM ${session} WHERE owner = $1 AND key = ANY ($2::bytea[])`,
    },

    /** $1 name, $2 value, $3 seconds. */
    putIfAbsent: {
      name: 'signet-put',
      text: `INSERT INTO ${kept} AS k (name, value, ends_at)
          SELECT $1::bytea, $2, ${CLOCK} + $3::float8 WHERE ${RELAXED}
        ON CONFLICT (name) DO UPDATE SET
          value = CASE WHEN k.ends_at <= ${CLOCK} THEN EXCLUDED.value ELSE k.value END,
          ends_at = CASE WHEN k.ends_at <= ${CLOCK} THEN EXCLUDED.ends_at ELSE k.ends_at END
        RETURNING value`,
    },
    /** $1 name. */
    getKept: {
      name: 'signet-get',
      text: `SELECT value FROM ${kept} WHERE name = $1::bytea AND ends_at > ${CLOCK}`,
    },

    /** $1 key, $2 seconds of the window. A window that ends later than a new one is from before the clock was set. */
    hit: {
      name: 'signet-hit',
      text: `INSERT INTO ${counter} AS c (key, hits, ends_at)
          SELECT $1::bytea, 1, ${CLOCK} + $2::float8 WHERE ${RELAXED}
        ON CONFLICT (key) DO UPDATE SET
          hits = CASE WHEN ${inWindow} THEN c.hits + 1 ELSE 1 END,
          ends_at = CASE WHEN ${inWindow} THEN c.ends_at ELSE EXCLUDED.ends_at END
        RETURNING hits, ends_at - ${CLOCK} AS seconds`,
    },

    /** Fails if the server takes no writes. */
    probe: { text: `UPDATE ${state} SET incomplete_until = incomplete_until` },

    /** $1: seconds since 1970. Deletes some of what had expired by then. */
    purge: [
      // The last entry is kept: it shows whether a cursor belongs to this history.
      deleteSome(
        revocation,
        'expires_at',
        `expires_at <= $1 AND version < (SELECT max(version) FROM ${revocation})`,
      ),
      deleteSome(consumed, 'expires_at', 'expires_at <= $1'),
      deleteSome(session, 'expires_at', 'expires_at <= $1'),
      deleteSome(owner, 'expires_at', 'expires_at <= $1'),
    ],
    /** Deletes short-lived data, which needs no safety margin. */
    purgeShortLived: [
      {
        text: `UPDATE ${consumed} SET replay = NULL WHERE ${some(
          consumed,
          'replay_until',
          `replay IS NOT NULL AND replay_until <= ${CLOCK}
            AND (used_at IS NULL OR used_at <= ${CLOCK} - ${UNKNOWN_SECONDS})`,
        )}`,
      },
      deleteSome(kept, 'ends_at', `ends_at <= ${CLOCK} AND ${RELAXED}`),
      deleteSome(counter, 'ends_at', `ends_at <= ${CLOCK} AND ${RELAXED}`),
    ],
  } satisfies Readonly<Record<string, Statement | readonly Statement[]>>;
}

export type Statements = ReturnType<typeof statementsFor>;
