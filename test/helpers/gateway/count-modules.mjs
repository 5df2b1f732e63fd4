// For a process that is started with `--import` of this file: writes at its end what it loaded, of Node, too, how
// often it checked an environment, and its CPU time, into a file of SIGNET_COUNTS with its pid as name. Its last
// thread does so, too: into a file with `-thread` after the pid.
// Not imported, which would load more of Node.
const { writeFileSync } = process.getBuiltinModule('node:fs');
const { createRequire, registerHooks } = process.getBuiltinModule('node:module');
const path = process.getBuiltinModule('node:path');

const modules = [];
let checks = 0;

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  const builtins = process.moduleLoadList.slice(loadedBefore);
  const { isMainThread } = process.getBuiltinModule('node:worker_threads');
  const counts = { modules, builtins, checks, cpuMs: (user + system) / 1000 };
  writeFileSync(
    path.join(process.env.SIGNET_COUNTS, `${process.pid}${isMainThread ? '' : '-thread'}.json`),
    JSON.stringify(counts),
  );
});

if (process.env.SIGNET_COUNT_CHECKS) {
  const { Validator } = createRequire(import.meta.url)(
    'class-validator/cjs/validation/Validator.js',
  );
  const { validateSync } = Validator.prototype;
  Validator.prototype.validateSync = function (target, ...rest) {
    if (target.constructor.name === 'Environment') checks++;
    return validateSync.call(this, target, ...rest);
  };
}

if (!process.env.SIGNET_COUNT_BUNDLE) await import('./no-bundle.mjs');

registerHooks({
  load: (url, context, next) => {
    if (!url.startsWith('node:')) modules.push(url);
    return next(url, context);
  },
});
const loadedBefore = process.moduleLoadList.length;
