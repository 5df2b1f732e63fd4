import type { Environment } from '../../environment/index.js';
import { describeBootError } from '../describe-boot-error.js';
import { ManagementAnswers } from '../../metrics/index.js';
import { shareKeyReads } from '../../jwks/index.js';
import { openLog } from '../open-log.js';
import { serve } from '../serve.js';
import { SharedKeyReads } from './shared-key-reads.js';
import { isToWorker, type ToPrimary } from './messages.js';

/** Milliseconds between the messages that tell the primary that the event loop runs. */
const ALIVE_MS = 1000;
/** True where workers share the port. On other systems, the primary passes connections on to them. */
const SHARES_PORT = process.platform === 'linux' || process.platform === 'freebsd';

/** Runs a worker: it serves requests on the shared port, follows the primary's messages, and ends with the primary. */
export async function runWorker(env: Environment): Promise<void> {
  const keyReads = new SharedKeyReads(tell);
  process.on('message', (message) => {
    if (isToWorker(message) && message.signet === 'keys')
      keyReads.answered(message.id, message.answer);
  });
  shareKeyReads(keyReads.read);
  const { app, shutDown, reload } = await openLog(env)
    .then((log) => serve(env, log, SHARES_PORT))
    .catch(giveUp);
  tell({ signet: 'listening' });
  setInterval(() => tell({ signet: 'alive' }), ALIVE_MS).unref();
  const answers = app.get(ManagementAnswers);
  process.on('message', (message) => {
    if (!isToWorker(message)) return;
    if (message.signet === 'question') {
      const { id, name, about } = message;
      answers.answer(name, about).then(
        (answer) => tell({ signet: 'answer', id, answer }),
        // The primary goes on without the answer.
        () => tell({ signet: 'answer', id }),
      );
    } else if (message.signet === 'reload') reload();
    else if (message.signet === 'shut-down')
      shutDown().then(
        () => process.exit(0),
        () => process.exit(1),
      );
  });
}

/** Ends the process. The primary prints the problems, once for all workers. */
async function giveUp(error: unknown): Promise<never> {
  const problems = await describeBootError(error);
  await new Promise((sent) => {
    process.send?.({ signet: 'boot-failed', problems } satisfies ToPrimary, sent);
  });
  process.exit(1);
}

const tell = (message: ToPrimary): void => {
  if (process.connected) process.send?.(message, () => undefined);
};
