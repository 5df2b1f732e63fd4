import type { KeyDocument } from '../../core/keys/index.js';

/** Time for which the result of an earlier read is used, in milliseconds. */
export interface Freshness {
  /** Time for a document. */
  readonly document: number;
  /** Time for a failure. */
  readonly failure: number;
}

/**
 * Reads a source, or uses what another process of this machine has just read or is reading.
 *
 * @param source name of the source, the same for the same source with the same options
 * @throws KeyError as `read` does
 */
export type SharedRead = (
  source: string,
  fresh: Freshness,
  read: () => Promise<KeyDocument>,
) => Promise<KeyDocument>;

let sharing: SharedRead | undefined;

/** Shares the reads of all remote key sets of this process with other processes from now on. */
export function shareKeyReads(shared: SharedRead): void {
  sharing = shared;
}

/** Like {@link SharedRead}, but reads the source itself if reads are not shared. */
export const readShared: SharedRead = (source, fresh, read) =>
  sharing === undefined ? read() : sharing(source, fresh, read);
