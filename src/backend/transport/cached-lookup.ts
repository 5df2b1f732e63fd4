import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
/** `dns.lookup` for all addresses of a name. */
export type AddressLookup = (hostname: string, options: LookupAllOptions, found: Found) => void;

/** Time in milliseconds without a lookup after which known addresses may be old. A call then waits for the resolver. */
const IDLE_MS = 60_000;
/** Longest time that a call with known addresses waits for the resolver, in milliseconds. */
const LONGEST_WAIT_MS = 100;

interface Entry {
  addresses: LookupAddress[];
  freshUntil: number;
  usedAt: number;
  /** Callers that wait for the lookup that is under way. */
  waiting: Set<Found> | undefined;
}

/**
 * Creates a `lookup` for sockets that asks at most once per `ttlMs`, with one lookup at a time: `dns.lookup` takes a
 * thread of the pool that signs, and a pool of connections opens many at once. Known addresses are returned at once and
 * renewed in the background, so that a hanging resolver delays no call, or after an idle time only a little. While the
 * resolver fails, the last addresses stay in use. It is meant for the one name of a backend: names are never removed.
 */
export function cachedLookup(ttlMs: number, lookup: AddressLookup = systemLookup): LookupFunction {
  const entries = new Map<string, Entry>();

  /** Asks the resolver, and answers all callers that wait by then. The resolver may answer synchronously. */
  const renew = (entry: Entry, hostname: string, options: LookupAllOptions): void =>
    lookup(hostname, options, (error, addresses) => {
      if (error === null && addresses.length > 0) entry.addresses = addresses;
      const isKnown = entry.addresses.length > 0;
      if (isKnown) entry.freshUntil = performance.now() + ttlMs;
      const { waiting = new Set() } = entry;
      entry.waiting = undefined;
      for (const tell of waiting) {
        // Removed first: a caller is called back once, and not again when its timeout ends.
        waiting.delete(tell);
        tell(isKnown ? null : error, entry.addresses);
      }
    });

  const find = (hostname: string, options: LookupAllOptions, found: Found): void => {
    const name = `${hostname} ${options.family ?? 0}`;
    const now = performance.now();
    const entry = entries.get(name) ?? {
      addresses: [],
      freshUntil: 0,
      usedAt: now,
      waiting: undefined,
    };
    entries.set(name, entry);
    const wasIdle = now - entry.usedAt > IDLE_MS;
    entry.usedAt = now;
    const isKnown = entry.addresses.length > 0;
    if (isKnown && now < entry.freshUntil) return found(null, entry.addresses);
    const isAsked = entry.waiting !== undefined;
    const waiting = (entry.waiting ??= new Set());
    const waits = !isKnown || (wasIdle && !isAsked);
    if (waits) waiting.add(found);
    else found(null, entry.addresses);
    const late = (): void => {
      if (waiting.delete(found)) found(null, entry.addresses);
    };
    if (waits && isKnown) setTimeout(late, LONGEST_WAIT_MS);
    if (!isAsked) renew(entry, hostname, options);
    return undefined;
  };

  return (hostname, options, callback) => {
    find(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || options.all === true) callback(error, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}
