import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
/** `dns.lookup` for all addresses of a name. */
export type AddressLookup = (hostname: string, options: LookupAllOptions, found: Found) => void;

interface Entry {
  addresses: LookupAddress[];
  freshUntil: number;
  /** Those who wait for the look-up that is under way. */
  waiting: Found[] | undefined;
}

/**
 * A `lookup` for sockets that asks at most once per `ttlMs`, one question at a time: `dns.lookup`
 * takes a thread of the pool that signs, and a pool of connections opens many at once. While the
 * resolver fails, the last addresses stay in use. Meant for the one name of a backend: names are
 * kept for good.
 */
export function cachedLookup(ttlMs: number, lookup: AddressLookup = systemLookup): LookupFunction {
  const entries = new Map<string, Entry>();

  const find = (hostname: string, options: LookupAllOptions, found: Found): void => {
    const name = `${hostname} ${options.family ?? 0}`;
    const entry = entries.get(name) ?? { addresses: [], freshUntil: 0, waiting: undefined };
    entries.set(name, entry);
    if (performance.now() < entry.freshUntil) return found(null, entry.addresses);
    if (entry.waiting !== undefined) return void entry.waiting.push(found);
    entry.waiting = [found];
    lookup(hostname, options, (error, addresses) => {
      if (error === null && addresses.length > 0) entry.addresses = addresses;
      const stale = entry.addresses.length > 0;
      if (stale) entry.freshUntil = performance.now() + ttlMs;
      const { waiting = [] } = entry;
      entry.waiting = undefined;
      for (const tell of waiting) tell(stale ? null : error, entry.addresses);
    });
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
