import { Logger } from '@nestjs/common';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Signals within this time of the first one are the same request, in milliseconds. A terminal sends Ctrl-C
 * to npm and to the gateway, and npm passes it on: the gateway gets it twice.
 */
const SAME_REQUEST_MS = 500;

/**
 * Ends the process at SIGTERM or SIGINT: at the first one after `shutDown`, at a second one at once.
 * Copies of the first one, which arrive within half a second, do not count.
 *
 * @param shutDown rejects when it could not end cleanly, which makes the exit code 1
 */
export function exitOnSignals(shutDown: () => Promise<void>): void {
  let first: number | undefined;
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (first !== undefined) {
        if (performance.now() - first > SAME_REQUEST_MS) process.exit(1);
        return;
      }
      first = performance.now();
      new Logger('Signet').log(`${signal}: shutting down`);
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
