import { importBundled } from './bundled/index.js';

// Older versions of Node.js can load only this file and bundled/, so the version is checked here.
const OLDEST_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_MAJOR) {
  process.stderr.write(
    `signet: Node ${OLDEST_MAJOR} or newer is needed, this is ${process.version}; npm start uses one that npm ci installs\n`,
  );
  process.exit(1);
}
try {
  const { bootstrap } = await importBundled('gateway', () => import('./process/index.js'));
  await bootstrap();
} catch (error) {
  const { GATEWAY_PACKAGES, missingPackage } = await import('./packages/index.js');
  const problem = await missingPackage(error, GATEWAY_PACKAGES);
  if (problem === undefined) throw error;
  process.stderr.write(`signet: ${problem}\n`);
  process.exit(1);
}
