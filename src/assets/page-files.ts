import { readFile } from 'node:fs/promises';

/** Content Security Policy of the pages: scripts, styles and requests of the same origin, and images in data URLs. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

const TYPES: Readonly<Record<string, string>> = {
  'home.js': 'text/javascript',
  'explain.js': 'text/javascript',
  'status.js': 'text/javascript',
  'page.js': 'text/javascript',
  'tokens.js': 'text/javascript',
  'style.css': 'text/css',
};

/** A file as it is served. */
export interface PageFile {
  /** Its media type. */
  readonly type: string;
  readonly body: Buffer;
}

/** Reads a page. It is served with {@link CONTENT_SECURITY_POLICY}. */
export const pageFile = (name: 'home' | 'explain' | 'status'): Promise<PageFile> =>
  read(`${name}.html`, 'text/html');

/** Reads a script or a style sheet, which is served below `/_pages/`; `undefined` if there is none of that name. */
export async function pagePart(name: string): Promise<PageFile | undefined> {
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  return type === undefined ? undefined : read(name, type);
}

const read = async (name: string, type: string): Promise<PageFile> => ({
  type: `${type}; charset=utf-8`,
  body: await readFile(new URL(`./files/${name}`, import.meta.url)),
});
