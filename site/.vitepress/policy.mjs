import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What stands between the tags is run, or used as a style; what has a src is not inline. */
const INLINE = /<(script|style)(?![^>]*\ssrc=)[^>]*>(.*?)<\/\1>/gs;
/** VitePress writes it for a menu whose script sets it anyway. */
const LEFT_OVER = ' style="--vp-vh:0px;"';

/**
 * Gives each page a Content-Security-Policy: nothing of another host, and of what is inline only what is there
 * after the build. One policy for all pages: links replace the page, but not the policy of the first one.
 */
export function addPolicy(folder) {
  const pages = new Map(
    globSync('**/*.html', { cwd: folder }).map((name) => [
      join(folder, name),
      readFileSync(join(folder, name), 'utf8').replaceAll(LEFT_OVER, ''),
    ]),
  );
  const hashes = { script: new Set(["'self'"]), style: new Set(["'self'"]) };
  for (const html of pages.values())
    for (const [, tag, text] of html.matchAll(INLINE))
      hashes[tag].add(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  const policy = [
    "default-src 'self'",
    `script-src ${[...hashes.script].join(' ')}`,
    `style-src ${[...hashes.style].join(' ')}`,
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  for (const [file, html] of pages)
    writeFileSync(
      file,
      html.replace(
        '<meta charset="utf-8">',
        `$&\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`,
      ),
    );
}
