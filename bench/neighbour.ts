// Walks through 64 MB again and again, so that caches that are shared hold little else (`--crowded`).
const LINE_BYTES = 64;
const bytes = new Uint8Array(64 * 1024 * 1024);
const walk = (): void => {
  for (let at = 0; at < bytes.length; at += LINE_BYTES) bytes[at] = (bytes[at] ?? 0) + 1;
  setImmediate(walk);
};
walk();
console.log('Listening on http://nobody');
