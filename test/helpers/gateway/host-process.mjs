// Boots gateways one after the other, by the steps of `dist/process/bootstrap.js`, in one process: what
// takes a second in a process of its own takes a moment here. Commands come and answers go as messages.
import { setTimeout as sleep } from 'node:timers/promises';
import { loadEnvironment } from '../../../dist/environment/index.js';
import { describeBootError } from '../../../dist/process/describe-boot-error.js';
import { openLog } from '../../../dist/process/open-log.js';
import { serve } from '../../../dist/process/serve.js';

/** Ends a text on stdout and stderr: everything of this gateway has been written. */
const END = '\u0004\n';

/** What a gateway adds to these ends with it. */
const LISTENERS = ['exit', 'uncaughtException'].map((event) => [
  event,
  process.rawListeners(event),
]);

let running;
let clockOffset = 0;
const realNow = Date.now;
Date.now = () => realNow() + clockOffset;

async function boot({ env, cwd }) {
  clockOffset = 0;
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  try {
    const { env: environment, warnings } = loadEnvironment();
    const log = await openLog(environment, warnings);
    running = await serve(environment, log);
    log.logger('Signet').log(`Listening on ${running.url}`);
    return running.url;
  } catch (error) {
    for (const line of await describeBootError(error)) process.stderr.write(`signet: ${line}\n`);
    end();
    return undefined;
  }
}

async function stop() {
  await running.shutDown();
  running = undefined;
  end();
}

/** As at the end of a process, the last lines of the log are written. */
function end() {
  process.emit('exit', 0);
  for (const [event, own] of LISTENERS)
    for (const listener of process.rawListeners(event))
      if (!own.includes(listener)) process.off(event, listener);
  process.stdout.write(END);
  process.stderr.write(END);
}

const COMMANDS = {
  boot,
  stop,
  /** The wall clock of this process is that many milliseconds ahead. */
  async setClock({ offset }) {
    clockOffset = offset;
    // Answers to requests that were sent before are on their way.
    await sleep(0);
  },
};

process.on('message', ({ command, ...argument }) => {
  COMMANDS[command](argument).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: String(error?.stack ?? error) }),
  );
});
// The test worker has ended. What a gateway does at the end of its process, it would do in folders that are gone.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send({ result: 'ready' });
