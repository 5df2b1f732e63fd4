import { isatty } from 'node:tty';
import type { Logger } from '../logging/index.js';

const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
type Ending = (typeof ENDING)[number];

/**
 * A SIGINT within this time of the first one is the same request, in milliseconds. A terminal sends Ctrl-C
 * to npm and to the gateway, and npm passes it on: the gateway gets it twice.
 */
const SAME_REQUEST_MS = 300;

/** What signals do at present. */
interface Actions {
  readonly end: (signal: Ending | 'SIGHUP') => void;
  readonly reload: () => void;
}

/** Nothing was accepted yet: there is nothing to wait for, and what will be read is new. */
const booting: Actions = { end: () => process.exit(0), reload: () => undefined };
/** Of a worker: the primary decides; a terminal or an init system may signal the workers as well. */
const none: Actions = { end: () => undefined, reload: () => undefined };

let actions = booting;
let inspectorRefused = false;

/**
 * Handles signals from now on, until {@link actOnSignals} says what they do. Has to be called first: PID 1 of a
 * container ignores each signal that it does not handle, any other process ends by it.
 *
 * @param isWorker the process does nothing at signals
 */
export function handleSignals(isWorker: boolean): void {
  if (isWorker) actions = none;
  for (const signal of ENDING) process.on(signal, () => actions.end(signal));
  // Where there is a terminal, it is the end of the terminal. Whether there was one cannot be asked afterwards.
  const hasTerminal = isatty(0) || isatty(1);
  process.on('SIGHUP', () => (hasTerminal ? actions.end('SIGHUP') : actions.reload()));
  // Means nothing here; without a listener it would end the process.
  process.on('SIGUSR2', () => undefined);
  refuseInspector();
}

/** In production SIGUSR1 opens no inspector, by which anybody on the machine could read the keys. */
export function refuseInspector(): void {
  if (inspectorRefused || process.env.NODE_ENV !== 'production') return;
  inspectorRefused = true;
  // Takes the place of the inspector's own.
  process.on('SIGUSR1', () => undefined);
}

/**
 * From now on SIGTERM, SIGINT and SIGQUIT end the process: the first one after `shutDown`, a second one at once.
 * A copy of a SIGINT, which arrives at once, does not count. SIGHUP reloads, and while the process ends nothing.
 *
 * @param shutDown rejects when it could not end cleanly, which makes the exit code 1
 * @param reload looks at files again
 */
export function actOnSignals(
  { shutDown, reload }: { shutDown: () => Promise<void>; reload: () => void },
  logger: Logger,
): void {
  let first: number | undefined;
  actions = {
    end: (signal) => {
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
    },
    reload: () => {
      if (first !== undefined) return;
      logger.log('SIGHUP: keys and clients are read again');
      reload();
    },
  };
}
