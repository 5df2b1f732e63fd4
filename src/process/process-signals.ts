import { isatty } from 'node:tty';
import type { Logger } from '../logging/index.js';

const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
type Ending = (typeof ENDING)[number];

/**
 * A SIGINT within this time after the first signal, in milliseconds, is a copy of it. On Ctrl-C, a terminal sends
 * SIGINT to npm and to the gateway, and npm passes it on, so the gateway gets it twice.
 */
const SAME_REQUEST_MS = 300;

/** The current effects of signals. */
interface Actions {
  readonly end: (signal: Ending | 'SIGHUP') => void;
  readonly reload: () => void;
}

/** During the boot: no request has to finish, and files are read anyway. */
const booting: Actions = { end: () => process.exit(0), reload: () => undefined };
/** In a worker: the primary decides. A terminal or an init system may send signals to the workers as well. */
const none: Actions = { end: () => undefined, reload: () => undefined };

let actions = booting;
let inspectorRefused = false;

/**
 * Installs the signal handlers. {@link actOnSignals} sets later what signals do after the boot. Must be called first:
 * PID 1 of a container ignores a signal without a handler, and any other process is ended by it.
 *
 * @param isWorker true: signals have no effect
 */
export function handleSignals(isWorker: boolean): void {
  if (isWorker) actions = none;
  for (const signal of ENDING) process.on(signal, () => actions.end(signal));
  // With a terminal, SIGHUP means that the terminal was closed. After that, isatty cannot tell any more.
  const hasTerminal = isatty(0) || isatty(1);
  process.on('SIGHUP', () => (hasTerminal ? actions.end('SIGHUP') : actions.reload()));
  // SIGUSR2 has no meaning here, but without a listener it would end the process.
  process.on('SIGUSR2', () => undefined);
  refuseInspector();
}

/** In production, keeps SIGUSR1 from opening the inspector, through which any local process could read the keys. */
export function refuseInspector(): void {
  if (inspectorRefused || process.env.NODE_ENV !== 'production') return;
  inspectorRefused = true;
  // This listener replaces Node's own, which opens the inspector.
  process.on('SIGUSR1', () => undefined);
}

/**
 * Makes SIGTERM, SIGINT and SIGQUIT end the process: the first one after `shutDown`, a second one at once. A copy of
 * a SIGINT ({@link SAME_REQUEST_MS}) does not count. SIGHUP reloads; during a shutdown it has no effect.
 *
 * @param shutDown rejects when the shutdown was not clean; the exit code is then 1
 * @param reload reads files again
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
