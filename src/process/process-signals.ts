import type { Logger } from '../logging/index.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * A SIGINT within this time of the first one is the same request, in milliseconds. A terminal sends Ctrl-C
 * to npm and to the gateway, and npm passes it on: the gateway gets it twice.
 */
const SAME_REQUEST_MS = 300;

/**
 * Ends the process at SIGTERM or SIGINT: at the first one after `shutDown`, at a second one at once.
 * A copy of a SIGINT, which arrives at once, does not count.
 *
 * @param shutDown rejects when it could not end cleanly, which makes the exit code 1
 */
export function exitOnSignals(shutDown: () => Promise<void>, logger: Logger): void {
  let first: number | undefined;
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (first !== undefined) {
        const isCopy = signal === 'SIGINT' && performance.now() - first < SAME_REQUEST_MS;
        if (!isCopy) process.exit(1);
        return;
      }
      first = performance.now();
      logger.log(`${signal}: shutting down`);
      shutDown().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
}

/** In a cluster the primary decides; a terminal or an init system may signal the workers as well. */
export function ignoreSignals(): void {
  for (const signal of SIGNALS) process.on(signal, () => undefined);
}
