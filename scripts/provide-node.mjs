// `npm ci` calls it (script "prepare"). The scripts of npm run on the system's Node if it is recent enough. If not,
// they run on the one that node/package-lock.json pins: it is kept in ~/.cache, once for all checkouts, and
// node_modules/.bin/node leads to it. Must run on Node 18.
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCi } from './npm-ci.mjs';

/** The oldest major version that the gateway runs on, see src/main.ts. */
const OLDEST_MAJOR = 24;
const PINNED = fileURLToPath(new URL('node/', import.meta.url));
const LINK = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

/** Whether this process runs on a Node that was provided before: no reason to do without it. */
const isProvided = existsSync(LINK) && realpathSync(LINK) === realpathSync(process.execPath);
if (isProvided || Number.parseInt(process.versions.node, 10) < OLDEST_MAJOR) {
  const node = provide();
  mkdirSync(dirname(LINK), { recursive: true });
  rmSync(LINK, { force: true });
  symlinkSync(node, LINK);
}

/** The path of the pinned Node, which is installed first if it is not there yet. */
function provide() {
  const lock = readFileSync(join(PINNED, 'package-lock.json'));
  const name = `signet-node-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`;
  const kept = join(cacheFolder(), name);
  if (!existsSync(kept)) {
    console.error(
      `Node ${process.version} is too old to run npm scripts; installing a newer one in ${kept}`,
    );
    const folder = mkdtempSync(`${kept}-`);
    try {
      for (const file of ['package.json', 'package-lock.json'])
        copyFileSync(join(PINNED, file), join(folder, file));
      npmCi(folder, '--include=optional');
      // A third of the package: headers to compile addons.
      rmSync(join(packageIn(folder), 'include'), { recursive: true, force: true });
      renameSync(folder, kept);
    } catch (error) {
      // Another installation may have been quicker.
      if (!existsSync(kept)) throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return join(packageIn(kept), 'bin/node');
}

/** That of the user, or a folder of the checkout where the home folder cannot be written. */
function cacheFolder() {
  for (const folder of [join(homedir(), '.cache'), join(dirname(LINK), '../.cache')])
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // The next one.
    }
  throw new Error('neither ~/.cache nor node_modules/.cache can be written');
}

/** The one package for this machine; the lock file has those for all. */
function packageIn(folder) {
  const modules = join(folder, 'node_modules');
  const name = readdirSync(modules).find((entry) => entry.startsWith('node-'));
  if (name === undefined)
    throw new Error(
      `there is no Node for ${process.platform} ${process.arch} in ${PINNED}; install Node ${OLDEST_MAJOR} or newer`,
    );
  return join(modules, name);
}
