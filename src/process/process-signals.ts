import { Logger } from '@nestjs/common';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ends the process at SIGTERM or SIGINT: at the first one after `shutDown`, at a second one at once.
 *
 * @param shutDown rejects when it could not end cleanly, which makes the exit code 1
 */
export function exitOnSignals(shutDown: () => Promise<void>): void {
  let signals = 0;
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (++signals > 1) process.exit(1);
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
