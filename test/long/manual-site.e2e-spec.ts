import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, withoutBrowser } from '../helpers/pages/browser.js';
import { openPage } from '../helpers/pages/pages.js';

/** The manual as a site, as `npm run docs` builds it. VitePress refuses a link that leads nowhere. */

const HTML = resolve('site/dist/html');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The number of colours in which the elements are drawn. */
const colours = (page: Page, selector: string, property: string): Promise<number> =>
  page.evaluate(
    `new Set([...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => getComputedStyle(one)[${JSON.stringify(property)}])).size`,
  );

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

const builtPages = () =>
  globSync('**/*.html', { cwd: HTML }).map((name) => ({
    name,
    html: readFileSync(join(HTML, name), 'utf8'),
  }));

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
    const large = builtPages().filter(({ html }) => gzipSync(html).length > 60_000);
    expect(large.map(({ name }) => name)).toEqual([]);
    const elsewhere = builtPages().flatMap(
      ({ html }) =>
        html.match(/<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"/g) ?? [],
    );
    expect(elsewhere).toEqual([]);
  });

  it('has one policy on every page, which names what is inline by its hash', () => {
    const policies = builtPages().map(
      ({ html }) => /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)?.[1],
    );
    const [policy = ''] = policies;
    // A link replaces the page and keeps the policy of the first one.
    expect(new Set(policies).size).toBe(1);
    const directives = new Map(
      policy.split('; ').map((text) => {
        const [name = '', ...sources] = text.split(' ');
        return [name, sources];
      }),
    );
    expect(directives.get('default-src')).toEqual(["'self'"]);
    expect(directives.get('script-src')).toContain("'self'");
    const sources = new Set([...directives.values()].flat());
    for (const source of sources) expect(source).toMatch(/^(?:'self'|'none'|data:|'sha256-.+')$/);
    const inline = builtPages().flatMap(({ html }) =>
      Array.from(html.matchAll(/<(script|style)\b(?![^>]*\ssrc=)[^>]*>(.*?)<\/\1>/gs)),
    );
    expect(inline.length).toBeGreaterThan(40);
    for (const [, tag, text = ''] of inline)
      expect(directives.get(`${tag}-src`)).toContain(
        `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
      );
    // No hash allows an attribute.
    const attributes = builtPages().flatMap(
      ({ html }) => html.match(/<[a-z][^>]* (?:style|on[a-z]+)="[^"]*"/g) ?? [],
    );
    expect(attributes).toEqual([]);
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

  it('keeps to its policy and asks nobody else, on every page', async () => {
    const { page, problems } = await openPage(browser, url);
    const names = builtPages().map(({ name }) => name);
    expect(names.length).toBeGreaterThan(40);
    for (const name of names) {
      await page.goto(`${url}/${name}`, { waitUntil: 'networkidle' });
      expect([name, problems]).toEqual([name, []]);
    }
    await page.close();
  });

  it.each([375, 1280])('is searched, switched and walked through at %i px', async (width) => {
    const { page, problems, press } = await openPage(browser, url);
    await page.setViewportSize({ width, height: 900 });
    // By keyboard from the first page to a heading of another one.
    await page.goto(url, { waitUntil: 'networkidle' });
    await press('/');
    await page.locator('#localsearch-input').waitFor();
    await page.keyboard.type('Encrypted files');
    await page.locator('#localsearch-list li').first().waitFor();
    await press('Enter');
    await page.waitForURL(/\/keys(?:\.html)?#encrypted-files/);
    await expect.poll(() => page.locator('main h1').innerText()).toContain('Keys');
    await press('Control+k');
    await page.locator('#localsearch-input').waitFor();
    await press('Escape');
    await page.locator('#localsearch-input').waitFor({ state: 'detached' });

    // The other scheme; where there is no room for the switch, the menu has it.
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const before = await background();
    const menu = page.getByRole('button', { name: 'mobile navigation' });
    if (width === 375) await menu.click();
    await page.locator('.VPSwitchAppearance:visible').click();
    await expect.poll(background).not.toBe(before);
    if (width === 375) await menu.click();

    // Links replace the page: what is inline on the next one is under the policy of the first one.
    const follow = async (path: string): Promise<void> => {
      const link = page.locator(`main a[href^="/${path}"]:visible`).first();
      await link.click();
      await page.waitForURL(`**/${path}**`);
    };
    await page.goto(`${url}/manual.html`, { waitUntil: 'networkidle' });
    await follow('architecture');
    await page.locator('main .diagram svg').waitFor();
    expect(await colours(page, '.diagram text, .diagram rect', 'fill')).toBeGreaterThan(1);
    await page.goBack();
    await follow('keys');
    await page.locator('main pre code').first().waitFor();
    expect(await colours(page, 'pre code span', 'color')).toBeGreaterThan(2);
    expect(problems).toEqual([]);
    await page.close();
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
