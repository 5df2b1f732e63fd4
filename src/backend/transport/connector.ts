import { buildConnector, errors } from 'undici';
import { cachedLookup } from './cached-lookup.js';

/**
 * Time in milliseconds after which addresses are looked up again. Together with the maximum age of connections, a
 * changed address is used within 30 seconds.
 */
const DNS_TTL_MS = 10_000;

/** Opens the connections of a pool. */
export class Connector {
  /** True while the first request of a fresh connection is being written. */
  opening = false;
  /** undici's `connect` option. */
  readonly connect: buildConnector.connector;

  /** @param timeoutMs longest time to open a connection, in milliseconds */
  constructor(timeoutMs: number) {
    const open = buildConnector({
      lookup: cachedLookup(DNS_TTL_MS),
      // HTTP/1.1 has one call at a time per connection, and no answers that were not requested.
      allowH2: false,
      // This closes the socket, but up to a second late. The timer below is exact.
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
