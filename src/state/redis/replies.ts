/**
 * What an error reply says about the server that gave it.
 *
 * - `elsewhere`: the connection is of no use: another server has to be asked, or this one later.
 * - `replica`: it answers reads; another server takes writes.
 * - `full`: it answers reads, but takes no writes at present.
 */
export type Condition = 'elsewhere' | 'replica' | 'full';

/** Conditions by the code that begins the reply. All other codes concern one command only. */
const CONDITIONS: Readonly<Record<string, Condition>> = {
  /** The server is a replica; after a failover it may have been the primary until now. */
  READONLY: 'replica',
  /** A blocked command was ended, because the server became a replica. */
  UNBLOCKED: 'replica',
  /** Another node of the cluster has the keys. */
  MOVED: 'elsewhere',
  /** The cluster does not serve the keys. */
  CLUSTERDOWN: 'elsewhere',
  /** The server has just been started and is loading its data. */
  LOADING: 'elsewhere',
  /** A replica that has lost its primary, and is configured not to answer then (replica-serve-stale-data). */
  MASTERDOWN: 'elsewhere',
  /** The server's users were changed; a new connection sends the password again. */
  NOAUTH: 'elsewhere',
  /** maxmemory is reached. */
  OOM: 'full',
  /** The server cannot save: the disk is full or cannot be written. */
  MISCONF: 'full',
  /** Fewer replicas than min-replicas-to-write are connected. */
  NOREPLICAS: 'full',
};

/** Finds the error code. Up to Redis 6.2, an error from inside a script is preceded by an introduction. */
const CODE = /(?:^(?!ERR )|: -)([A-Z]+) /;

/** @returns `undefined` if the reply concerns the command only */
export const conditionOf = (reply: string): Condition | undefined =>
  CONDITIONS[CODE.exec(reply)?.[1] ?? ''];

/** Reads which node of a cluster has the keys from `MOVED <slot> <host>:<port>`. An empty host: the one asked. */
export function movedTo(reply: string): { host: string; port: number } | undefined {
  const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(reply) ?? [];
  return port === undefined ? undefined : { host: host ?? '', port: Number(port) };
}
