import { hash } from 'node:crypto';
import { comparedTime, type Revocation } from '../../core/revocation/index.js';
import { inOrder, type SessionRecord } from '../session-records.js';
import type { RefreshOutcome, RefreshUse } from '../state-store.js';
import type { Row, Value } from './postgres-session.js';

// Converts between the types of the store and the parameters and rows of the statements.

/** Escapes U+0000, which a text of PostgreSQL cannot hold. */
export const toSql = (text: string): string =>
  text.replace(/[\\\0]/g, (character) => (character === '\0' ? '\\0' : '\\\\'));
export const fromSql = (text: string): string =>
  text.replace(/\\([\\0])/g, (_escape, character) => (character === '0' ? '\0' : '\\'));

/** Returns a key for a name, which may be longer than a key can be. */
export const digest = (name: string): Buffer => hash('sha256', name, 'buffer');

/** Records need no {@link fromSql}, as JSON escapes U+0000. Statements leave out expired ones, by the server's clock. */
export const toSessions = (rows: readonly Row[]): readonly SessionRecord[] =>
  inOrder(
    rows.map(({ record }) => JSON.parse(String(record)) as SessionRecord),
    -Infinity,
  );

export const asParameters = ({ id, subject }: RefreshUse, nonce: string | null): Value[] => [
  toSql(id),
  nonce === null ? null : toSql(nonce),
  subject.names.map(({ kind }) => kind),
  subject.names.map(({ value }) => toSql(value)),
  subject.names.map(({ kind }) => comparedTime(subject, kind) ?? null),
];

export function toOutcome({ revoked, used, same, replay }: Row): RefreshOutcome {
  if (revoked === true) return { state: 'revoked' };
  if (used !== true || same === true) return { state: 'fresh' };
  return typeof replay === 'string'
    ? { state: 'consumed', replay: fromSql(replay) }
    : { state: 'consumed' };
}

/** A revocation in a page of the history. */
export type PageRow = [
  version: number,
  removedFrom: number | null,
  id: string,
  kind: Revocation['kind'],
  value: string,
  before: number | null,
  reason: string | null,
  createdAt: number,
  expiresAt: number | null,
];

export const fromPage = ([
  ,
  ,
  id,
  kind,
  value,
  before,
  reason,
  createdAt,
  expiresAt,
]: PageRow): Revocation => ({
  id: fromSql(id),
  kind,
  value: fromSql(value),
  before,
  reason: reason === null ? undefined : fromSql(reason),
  createdAt,
  expiresAt,
});

export const toRevocation = (row: Row): Revocation =>
  fromPage([
    0,
    null,
    row.id,
    row.kind,
    row.value,
    row.before,
    row.reason,
    row.created_at,
    row.expires_at,
  ] as PageRow);
