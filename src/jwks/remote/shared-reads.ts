import type { KeyDocument } from '../../core/keys/index.js';

/** For how long, in milliseconds, what was read a moment ago will do. */
export interface Freshness {
  /** A document. */
  readonly document: number;
  /** A failure. */
  readonly failure: number;
}

/**
 * Reads a source, or takes what another process of this machine has read a moment ago or is reading.
 *
 * @param source the same text for the same source with the same options
 * @throws KeyError as `read` does
 */
export type SharedRead = (
  source: string,
  fresh: Freshness,
  read: () => Promise<KeyDocument>,
) => Promise<KeyDocument>;

let sharing: SharedRead | undefined;

/** From now on all remote key sets of this process are read together with other processes. */
export function shareKeyReads(shared: SharedRead): void {
  sharing = shared;
}

/** As {@link SharedRead}; where nothing is shared, the source is read. */
export const readShared: SharedRead = (source, fresh, read) =>
  sharing === undefined ? read() : sharing(source, fresh, read);
