import type { Logger } from '../logging/index.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ends the process at SIGTERM or SIGINT: at the first one after `shutDown`, at a second one at once.
 *
 * @param shutDown rejects when it could not end cleanly, which makes the exit code 1
 */
export function exitOnSignals(shutDown: () => Promise<void>, logger: Logger): void {
  let signals = 0;
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (++signals > 1) process.exit(1);
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
