import { readFileSync } from 'node:fs';

/** The version of this package; its manifest is two folders up in `src` as well as in `dist`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
