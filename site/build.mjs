// Builds the manual as a site into site/dist/html: the pages of docs/, and the API from TSDoc. Installs
// what it needs into site/node_modules, once for each lock file.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const site = join(root, 'site');
const pages = join(site, 'dist/pages');
const read = (path) => readFileSync(join(root, path), 'utf8');

function run(command, args, cwd = site) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

/** Where each file of the repository stands on the site. */
const PLACES = new Map([
  ['README.md', 'index.md'],
  ['docs/README.md', 'manual.md'],
  ['docs/model/README.md', 'models.md'],
  ['bench/README.md', 'benchmark.md'],
  ['CHANGELOG.md', 'changelog.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['SECURITY.md', 'security.md'],
  ['LICENSE', 'license.md'],
  ...globSync('docs/*.md', { cwd: root })
    .filter((path) => path !== 'docs/README.md')
    .map((path) => [path, basename(path)]),
]);

/** Links between files become links between pages; VitePress refuses one that leads nowhere. */
const withLinks = (text, path) =>
  text.replaceAll(/\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)/g, (_link, target, anchor = '') => {
    const place = PLACES.get(join(dirname(path), target));
    return `](${place === undefined ? target : `/${place}`}${anchor})`;
  });

/** A diagram is part of the page, so that it has the colours of the page. Its rules go into the style sheet. */
const withDiagrams = (text, path) =>
  text.replaceAll(/^!\[(.*)\]\(([^)]+\.svg)\)$/gm, (_image, alt, file) => {
    const svg = read(join(dirname(path), file))
      .replace(STYLE, (_element, rules) => (diagramRules.add(rules), ''))
      .replaceAll(/\n\s*\n/g, '\n');
    return `<figure class="diagram" role="img" aria-label="${alt}" tabindex="0">\n${svg}</figure>`;
  });
const STYLE = /<style>(.*?)<\/style>/s;
const diagramRules = new Set();

const lock = createHash('sha256').update(read('site/package-lock.json')).digest('hex');
const stamp = join(site, 'node_modules/.lock');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit']);
  writeFileSync(stamp, lock);
}

rmSync(join(site, 'dist'), { recursive: true, force: true });
mkdirSync(pages, { recursive: true });
for (const [path, place] of PLACES)
  writeFileSync(
    join(pages, place),
    path === 'LICENSE'
      ? `# License\n\n${read(path)}`
      : withDiagrams(withLinks(read(path), path), path),
  );
writeFileSync(join(site, 'dist/diagrams.css'), [...diagramRules].join('\n'));
cpSync(join(site, 'public'), join(pages, 'public'), { recursive: true });
run(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', 'typedoc.json']);
run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build']);
