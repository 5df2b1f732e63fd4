/**
 * What an error reply says about the server that gave it.
 *
 * - `elsewhere`: another server has to be asked, or this one later: the connection is worth nothing.
 * - `replica`: it answers questions, and somebody else takes writes.
 * - `full`: it answers questions, and takes no writes at present.
 */
export type Condition = 'elsewhere' | 'replica' | 'full';

/** By the code that begins the reply. All others are about one command only. */
const CONDITIONS: Readonly<Record<string, Condition>> = {
  /** A replica; after a failover it may have been the primary until now. */
  READONLY: 'replica',
  /** A blocked client was let go, because the server became a replica. */
  UNBLOCKED: 'replica',
  /** Another node of the cluster has the keys. */
  MOVED: 'elsewhere',
  /** The cluster does not serve the keys. */
  CLUSTERDOWN: 'elsewhere',
  /** It has just been started and reads its data. */
  LOADING: 'elsewhere',
  /** A replica without its primary, which was told not to answer then (replica-serve-stale-data). */
  MASTERDOWN: 'elsewhere',
  /** Its users were changed; a new connection presents the password again. */
  NOAUTH: 'elsewhere',
  /** maxmemory is reached. */
  OOM: 'full',
  /** It cannot save: the disk is full or cannot be written. */
  MISCONF: 'full',
  /** Fewer replicas than min-replicas-to-write. */
  NOREPLICAS: 'full',
};

/** Up to Redis 6.2, an error of a command of a script stands behind an introduction. */
const CODE = /(?:^(?!ERR )|: -)([A-Z]+) /;

/** @returns `undefined` where the reply is about the command only */
export const conditionOf = (reply: string): Condition | undefined =>
  CONDITIONS[CODE.exec(reply)?.[1] ?? ''];

/** Where a cluster has the keys: `MOVED <slot> <host>:<port>`; without a host, at the server that was asked. */
export function movedTo(reply: string): { host: string; port: number } | undefined {
  const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(reply) ?? [];
  return port === undefined ? undefined : { host: host ?? '', port: Number(port) };
}
