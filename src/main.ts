// The only module that older versions of Node can load: it tells them so.
const OLDEST_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_MAJOR) {
  process.stderr.write(
    `signet: Node ${OLDEST_MAJOR} or newer is needed, this is ${process.version}; npm start uses the one that the project brings along\n`,
  );
  process.exit(1);
}
const { bootstrap } = await import('./process/index.js');
await bootstrap();
