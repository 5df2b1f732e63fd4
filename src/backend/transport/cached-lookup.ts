import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
/** `dns.lookup` for all addresses of a name. */
export type AddressLookup = (hostname: string, options: LookupAllOptions, found: Found) => void;

/** Who was not asked for so long may have old addresses, and waits a little for the resolver. */
const IDLE_MS = 60_000;
const PATIENCE_MS = 100;

interface Entry {
  addresses: LookupAddress[];
  freshUntil: number;
  usedAt: number;
  /** Callers that wait for the lookup that is under way. */
  waiting: Set<Found> | undefined;
}

/**
 * A `lookup` for sockets that asks at most once per `ttlMs`, one question at a time: `dns.lookup`
 * takes a thread of the pool that signs, and a pool of connections opens many at once. Addresses that are known are
 * given at once, and renewed beside that, so that a resolver which hangs delays nobody; while it fails, the last ones
 * stay in use. Meant for the one name of a backend: names are kept for good.
 */
export function cachedLookup(ttlMs: number, lookup: AddressLookup = systemLookup): LookupFunction {
  const entries = new Map<string, Entry>();

  /** Asks the resolver for those who wait, and for those who will. It may answer at once. */
  const renew = (entry: Entry, hostname: string, options: LookupAllOptions): void =>
    lookup(hostname, options, (error, addresses) => {
      if (error === null && addresses.length > 0) entry.addresses = addresses;
      const isKnown = entry.addresses.length > 0;
      if (isKnown) entry.freshUntil = performance.now() + ttlMs;
      const { waiting = new Set() } = entry;
      entry.waiting = undefined;
      for (const tell of waiting) {
        // A caller is called back once, not again when its timeout ends.
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
    if (waits && isKnown) setTimeout(late, PATIENCE_MS);
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
