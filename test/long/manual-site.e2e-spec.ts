import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, withoutBrowser } from '../helpers/browser.js';

/** The manual as a site, as `npm run docs` builds it. VitePress refuses a link that leads nowhere. */

const HTML = resolve('site/dist/html');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** As GitHub Pages serves a folder. */
function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '').replace(/[?#].*/, '')));
    const file = join(HTML, path.endsWith('/') ? `${path}index.html` : path);
    const found = [file, `${file}.html`].find((name) => extname(name) !== '' && existsSync(name));
    response.writeHead(found === undefined ? 404 : 200, {
      'Content-Type': TYPES[extname(found ?? '')] ?? 'application/octet-stream',
    });
    response.end(found === undefined ? 'not found' : readFileSync(found));
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

let server: Server;
let url: string;
beforeAll(async () => {
  await promisify(execFile)('npm', ['run', 'docs'], { maxBuffer: 2 ** 26 });
  server = await serve();
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 900_000);
afterAll(() => server?.close());

describe('the manual as a site', () => {
  it('has every page of docs/ and every subpath of the package', () => {
    const pages = globSync('**/*.html', { cwd: HTML });
    for (const path of globSync('docs/*.md')) {
      const name = path.replace('docs/', '').replace('README', 'manual').replace('.md', '.html');
      expect(pages).toContain(name);
    }
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const subpaths = Object.keys(exports).filter((name) => name !== './package.json');
    expect(pages.filter((name) => name.startsWith('api/'))).toHaveLength(subpaths.length + 1);
  });

  it('leads to pages that are there, from its menus, too', () => {
    const html = readFileSync(join(HTML, 'index.html'), 'utf8');
    const links = [...html.matchAll(/href="(\/[^"#]*)(?:#[^"]*)?"/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(40);
    const dead = links.filter(
      (path) => !['', 'index.html', '.html'].some((end) => isFile(join(HTML, path + end))),
    );
    expect(dead).toEqual([]);
  });

  it('is small as it is sent, and loads nothing from elsewhere', () => {
    for (const name of globSync('**/*.html', { cwd: HTML })) {
      const html = readFileSync(join(HTML, name), 'utf8');
      // The reference of all exports is as long as it is.
      if (!name.startsWith('api/'))
        expect([name, gzipSync(html).length < 60_000]).toEqual([name, true]);
      const loaded = html.matchAll(
        /<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"/g,
      );
      expect([name, [...loaded].map(([tag]) => tag)]).toEqual([name, []]);
    }
  });
});

const isFile = (path: string): boolean => extname(path) !== '' && existsSync(path);

describe.skipIf(withoutBrowser)('the manual in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const CHECK =
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))';
  const open = async (
    path: string,
    width: number,
    colorScheme: 'light' | 'dark',
  ): Promise<Page> => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    await page.goto(url + path, { waitUntil: 'networkidle' });
    return page;
  };

  it('finds a page by keyboard, and asks nobody else', async () => {
    const page = await open('/', 1280, 'light');
    const problems: string[] = [];
    const hosts = new Set<string>();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.keyboard.press('/');
    await page.locator('#localsearch-input').waitFor();
    await page.keyboard.type('Encrypted files');
    await page.locator('#localsearch-list li').first().waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/keys(?:\.html)?#encrypted-files/);
    await expect.poll(() => page.locator('main h1').innerText()).toContain('Keys');
    await page.keyboard.press('Control+k');
    await page.locator('#localsearch-input').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#localsearch-input').waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
    expect([...hosts]).toEqual([new URL(url).host]);
    await page.context().close();
  });

  it.each([
    [375, 'light'],
    [375, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('suits everybody at %i px, %s', async (width, scheme) => {
    mkdirSync('test-artefacts', { recursive: true });
    for (const path of [
      '/',
      '/architecture.html',
      '/keys.html',
      '/tutorial.html',
      '/api/auth.html',
    ]) {
      const page = await open(path, width, scheme);
      await page.evaluate(AXE);
      expect([path, await page.evaluate(CHECK)]).toEqual([path, []]);
      const [shown, wide] = (await page.evaluate(
        '[innerWidth, document.documentElement.scrollWidth]',
      )) as [number, number];
      expect([path, wide <= shown]).toEqual([path, true]);
      // The colours are those of the pages of the gateway.
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
        scheme === 'light' ? 'rgb(251, 251, 253)' : 'rgb(18, 22, 29)',
      );
      const name = path.replaceAll('/', '-').replace('.html', '') || 'start';
      await page.screenshot({ path: `test-artefacts/manual${name}-${width}-${scheme}.png` });
      await page.context().close();
    }
  });
});
