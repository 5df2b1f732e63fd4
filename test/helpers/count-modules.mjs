// For `--import`: writes the packages of all modules that the process has loaded, `signet` for our own.
import { registerHooks } from 'node:module';

const urls = new Set();
registerHooks({
  load: (url, context, next) => {
    if (!url.startsWith('node:')) urls.add(url);
    return next(url, context);
  },
});
process.on('exit', () => {
  const names = [...urls].map(
    (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? 'signet',
  );
  process.stderr.write(`modules ${names.join(' ')}\n`);
});
