// Several gateways in one process: the first message has their environments, the answer their URLs; any further one
// is answered with the CPU microseconds so far.
import { resolve } from 'node:path';

/** What is used of the built gateway. */
interface Built {
  readonly loadEnvironment: () => { env: object };
  readonly openLog: (env: object) => Promise<object>;
  readonly serve: (env: object, log: object) => Promise<{ url: string }>;
}

const built = async (...path: string[]): Promise<Built> =>
  (await import(resolve('dist', ...path))) as Built;
const { loadEnvironment } = await built('environment', 'index.js');
const { openLog } = await built('process', 'open-log.js');
const { serve } = await built('process', 'serve.js');

process.once('message', (environments: Record<string, string>[]) => {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  void (async () => {
    const urls: string[] = [];
    for (const environment of environments) {
      Object.assign(process.env, environment);
      const { env } = loadEnvironment();
      const { url } = await serve(env, await openLog(env));
      urls.push(url);
    }
    process.send?.(urls);
  })();
});
