import { buildConnector, errors } from 'undici';
import { cachedLookup } from './cached-lookup.js';

/** Addresses are looked up again after this; with the age of connections, within 30 seconds. */
const DNS_TTL_MS = 10_000;

/** Opens the connections of a pool. */
export class Connector {
  /** True while the first request of a fresh connection is being written. */
  opening = false;
  /** undici's `connect` option. */
  readonly connect: buildConnector.connector;

  /** @param timeoutMs of one attempt */
  constructor(timeoutMs: number) {
    const open = buildConnector({
      lookup: cachedLookup(DNS_TTL_MS),
      // One call at a time per connection, and no other answer but the one that was asked for.
      allowH2: false,
      // Closes the socket in the end, but up to a second late.
      timeout: timeoutMs,
    });
    this.connect = (options, callback) => {
      let settled = false;
      const settle: buildConnector.Callback = (...result) => {
        clearTimeout(timer);
        if (settled) return void result[1]?.destroy();
        settled = true;
        this.opening = true;
        callback(...result);
        this.opening = false;
        return undefined;
      };
      const timer = setTimeout(
        () => settle(new errors.ConnectTimeoutError(`not connected within ${timeoutMs} ms`), null),
        timeoutMs,
      );
      open(options, settle);
    };
  }
}
