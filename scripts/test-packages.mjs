// Installs the packages of test/packages, which `npm ci` leaves out, unless they are there as the lock file has them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { npmCi } from './npm-ci.mjs';

const folder = fileURLToPath(new URL('../test/packages/', import.meta.url));
const lock = readFileSync(`${folder}package-lock.json`, 'utf8');
/** A copy of the lock file that was installed. */
const installed = `${folder}node_modules/.installed-lock.json`;

if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  console.error('Installing the packages of test/packages');
  npmCi(folder, '--ignore-scripts', '--prefer-offline');
  writeFileSync(installed, lock);
}
