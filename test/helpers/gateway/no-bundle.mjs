// By --import: the gateway loads the modules themselves, as in the npm package, which has no bundle.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { existsSync } = fs;
fs.existsSync = (path) => !String(path).includes('/dist/bundle/') && existsSync(path);
syncBuiltinESMExports();
