// The pages of the management listener in production: a cluster, as it runs by default.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayStatus } from '../../src/management/index.js';
import { startBackend, type Backend } from '../helpers/backends/backend.js';
import { startBrowser, withoutBrowser } from '../helpers/pages/browser.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { call, callWith } from '../helpers/network/http.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { blocksOf } from '../helpers/pages/manual.js';
import { openPage, type OpenPage } from '../helpers/pages/pages.js';
import { startRedis, withoutRedis, type RedisServer } from '../helpers/stores/redis.js';
import { tempFolder } from '../helpers/run/resources.js';

const HOUR = 3600;
const AWAY = 'https://id.invalid';
const now = (): number => Math.floor(Date.now() / 1000);

let backend: Backend;
let redis: RedisServer | undefined;
let gateway: Gateway;
let keys: JWK[];
let secrets: Map<string, string>;
let token: string;
beforeAll(async () => {
  backend = await startBackend();
  const claims = { sub: 'somebody-by-name', roles: ['role_a'] };
  await backend.answer('/token.json', { body: { access_token: claims } });
  keys = await Promise.all(['signs', 'waits'].map((kid) => generateJwk('ES256', kid)));
  const client = join(tempFolder('client'), 'client.json');
  const client_secret = 'secret-of-the-client-at-introspection';
  writeFileSync(client, JSON.stringify({ client_id: 'gateway', client_secret }), { mode: 0o600 });
  if (!withoutRedis) redis = await startRedis('--requirepass', 'secret-of-redis');
  secrets = new Map([
    ['KEY_PASSPHRASE', 'secret-passphrase-of-key-files'],
    ['HTTPS_PROXY', 'secret-of-the-proxy'],
    ['HTTP_PROXY', 'secret-of-the-other-proxy'],
    ['STATE_STORE', 'secret-of-redis'],
    ['VALIDATOR_INTROSPECTION_CLIENT_FILE', client_secret],
    ...keys.map(({ kid = '', d = '' }) => [`the key ${kid}`, d] as const),
  ]);
  gateway = await startGateway({
    NODE_ENV: 'production',
    WORKERS: '2',
    EXPLAIN_PAGE: 'true',
    SESSION_LIST: 'true',
    BACKEND_HOST: backend.url,
    SIGNER_ALG: 'ES256',
    SIGNER_JWK_LOCAL_PATH: writeKeys([
      { ...keys[0], signet: { state: 'active', not_before: now() - HOUR } },
      { ...keys[1], signet: { state: 'pending', not_before: now() + HOUR } },
    ]),
    SIGNER_ISSUER: 'https://gateway.example',
    VALIDATOR_ISSUER: `https://gateway.example,${AWAY}`,
    VALIDATOR_INTROSPECTION_URL: `${AWAY}/introspect`,
    VALIDATOR_INTROSPECTION_CLIENT_FILE: client,
    KEY_PASSPHRASE: secrets.get('KEY_PASSPHRASE') ?? '',
    HTTPS_PROXY: `http://me:${secrets.get('HTTPS_PROXY')}@127.0.0.1:1`,
    HTTP_PROXY: `http://me:${secrets.get('HTTP_PROXY')}@127.0.0.1:1`,
    ...(redis === undefined
      ? {}
      : { STATE_STORE: `redis://:secret-of-redis@127.0.0.1:${redis.port}` }),
  });
  const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
  token = String(json.access_token);
});
afterAll(async () => {
  await gateway?.stop();
  await redis?.stop();
  await backend?.stop();
});

const status = async (): Promise<GatewayStatus> =>
  (await (await fetch(`${gateway.management}/status.json`)).json()) as GatewayStatus;
const explain = (question: object): Promise<Response> =>
  fetch(`${gateway.management}/_explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });

describe('the status', () => {
  it('is that of all workers, with keys, rotation, issuers and the state store', async () => {
    // On a busy machine a worker may not answer in time.
    await expect.poll(async () => (await status()).workers.processes).toHaveLength(2);
    const told = await status();
    expect(new Set(told.workers.processes.map(({ pid }) => pid)).size).toBe(2);
    expect(told.workers).toMatchObject({ serving: 2, restarts: 0 });
    const [own, other] = told.keySets;
    expect(own).toMatchObject({ signs: true, keyCount: 2, staleSeconds: 0 });
    expect(own?.keys).toMatchObject([
      { kid: 'signs', alg: 'ES256', state: 'active' },
      { kid: 'waits', alg: 'ES256', state: 'pending' },
    ]);
    expect(other).toMatchObject({ signs: false, keyCount: 0 });
    expect(other?.problem).toContain(AWAY);
    expect(told.problems).toEqual([expect.stringContaining(AWAY) as string]);
    expect(told.rotation).toMatchObject([{ alg: 'ES256', step: 'activate', kids: ['waits'] }]);
    expect(Math.abs((told.rotation[0]?.at ?? 0) - now() - HOUR)).toBeLessThan(60);
    expect(told.issuers).toMatchObject([
      { issuer: 'https://gateway.example', own: true },
      { issuer: AWAY, own: false },
    ]);
    expect(told.store).toMatchObject({ staleSeconds: 0, revocations: { jti: 0, sub: 0 } });
    expect(told.store.delaySeconds).toBeGreaterThan(0);
    expect(told.backend).toMatchObject({ breaker: 'closed' });
    expect(told.logins.succeeded).toBe(1);
  });

  it('has the last refusals with the request id of the answer', async () => {
    const { headers } = await call(`${gateway.url}/private/custom?secret=1`);
    const id = headers.get('x-request-id');
    await expect
      .poll(async () => (await status()).lastRefusals.find(({ requestId }) => requestId === id))
      .toMatchObject({
        code: 'token_missing',
        status: 401,
        method: 'GET',
        route: '/private/custom',
      });
    expect((await status()).refusals.token_missing).toBeGreaterThanOrEqual(1);
  });

  it('stays small whatever comes', async () => {
    const name = 'n'.repeat(2000);
    for (let n = 0; n < 60; n++)
      await callWith(`${gateway.url}/private/custom/${name}?${name}`, name).catch(() => undefined);
    const text = await (await fetch(`${gateway.management}/status.json`)).text();
    expect(text.length).toBeLessThan(20_000);
    expect(text).not.toContain(name);
  });
});

describe('the explain page', () => {
  it('lets choose from the routes that ask for a token', async () => {
    const facts = await fetch(`${gateway.management}/_pages/facts.json`);
    const { routes } = (await facts.json()) as { routes: object[] };
    expect(routes).toContainEqual({ method: 'GET', path: '/private/custom', access: 'token' });
    expect(routes).not.toContainEqual(expect.objectContaining({ path: '/token' }));
  });

  it('has the verdict of a worker, also as the manual has it', async () => {
    const [command] = blocksOf('production', 'Status and explain page', 'bash');
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-c', command.replace('localhost:8090', new URL(gateway.management).host)],
      { env: { ...process.env, TOKEN: token } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ accepted: true });
    const refused = await explain({ token: `${token.slice(0, -4)}AAAA` });
    expect(await refused.json()).toMatchObject({ accepted: false, code: 'signature_invalid' });
  });

  it.each([{}, { token: '' }, { token: 7 }, { token: 'x.y.z', route: 'GET /nowhere' }, [], 7])(
    'refuses %j',
    async (question) => {
      const answer = await explain(question as object);
      expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'body_malformed' }]);
    },
  );
});

describe('nothing secret', () => {
  it.each([
    'KEY_PASSPHRASE',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'STATE_STORE',
    'VALIDATOR_INTROSPECTION_CLIENT_FILE',
    'the key signs',
    'the key waits',
  ])('of %s is in what the listener shows', async (name) => {
    const secret = secrets.get(name) ?? '';
    expect(secret.length).toBeGreaterThan(10);
    const paths = ['/', '/status.json', '/metrics', '/_explain', '/_pages/facts.json'];
    const shown = await Promise.all(
      paths.map(async (path) => (await fetch(gateway.management + path)).text()),
    );
    const verdicts = await Promise.all(
      [token, 'opaque-token'].map(async (one) => (await explain({ token: one })).text()),
    );
    for (const text of [...shown, ...verdicts]) expect(text).not.toContain(secret);
  });

  it('of a token or a user is in the status, nor in the log', async () => {
    await explain({ token });
    const text = JSON.stringify(await status());
    for (const part of [...token.split('.'), 'somebody-by-name']) {
      expect(text).not.toContain(part);
      expect(gateway.output()).not.toContain(part);
    }
  });

  it('is written into the page, which is small', async () => {
    const files = ['status.html', 'status.js', 'page.js', 'style.css'];
    const sizes = files.map((name) => readFileSync(`dist/assets/files/${name}`).length);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(60_000);
  });
});

describe.skipIf(withoutBrowser)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  const open = (path: string): Promise<OpenPage> => openPage(browser, gateway.management + path);

  it('the status is read by keyboard alone, and refreshes by itself', async () => {
    const { page, press, look, problems } = await open('/');
    const text = (): Promise<string> => page.locator('main').innerText();
    await expect.poll(text).toMatch(/signs\s+ES256\s+active/);
    expect(await text()).toMatch(redis === undefined ? /Sessions\s+\d/ : /Sessions\s+not counted/);
    expect(await text()).toMatch(/activate waits, in \d+ min/);
    expect(await page.locator('#problems').innerText()).toContain(AWAY);

    // Everything that scrolls or can be pressed is reached with Tab.
    const reached: string[] = [];
    for (let n = 0; n < 12; n++) {
      await press('Tab');
      reached.push(
        String(
          await page.evaluate(
            'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent ?? ""',
          ),
        ),
      );
    }
    expect(reached).toEqual(
      expect.arrayContaining([
        'Metrics',
        'Why is a token refused?',
        'Refresh now',
        'Table of signing keys',
        'Table of sets of keys',
        'Table of issuers',
        'Table of workers',
        'Table of the last refusals',
      ]),
    );

    const refused = async (): Promise<string> => {
      const { headers } = await call(`${gateway.url}/private/custom`);
      return headers.get('x-request-id') ?? '';
    };
    const byHand = await refused();
    await page.getByRole('checkbox').focus();
    await press('Space', 'Tab', 'Enter');
    await expect
      .poll(async () => {
        await press('Enter');
        return text();
      })
      .toContain(byHand);
    const focused = 'document.activeElement.textContent';
    expect(await page.evaluate(focused)).toBe('Refresh now');
    await look('status');

    await page.clock.install();
    await page.reload();
    await expect.poll(text).toContain(byHand);
    const byItself = await refused();
    await expect
      .poll(async () => {
        await page.clock.runFor(5100);
        return text();
      })
      .toContain(byItself);
    expect(problems).toEqual([]);
  });

  it('the status prints well: in dark colours on white paper, without what cannot be pressed there', async () => {
    const { page } = await open('/');
    await page.locator('#keys tr').first().waitFor();
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.setViewportSize({ width: 700, height: 900 });
    const visible =
      '[...document.querySelectorAll("form, nav")].filter((one) => one.checkVisibility())';
    expect(await page.evaluate(`${visible}.length`)).toBe(0);
    const { backgroundColor, color } = (await page.evaluate(
      '(({ backgroundColor, color }) => ({ backgroundColor, color }))(getComputedStyle(document.body))',
    )) as Record<string, string>;
    expect([backgroundColor, color]).toEqual(['rgb(251, 251, 253)', 'rgb(28, 35, 48)']);
    const cutOff =
      '[...document.querySelectorAll(".wide")].filter((one) => one.scrollWidth > one.clientWidth)';
    expect(await page.evaluate(`${cutOff}.map((one) => one.ariaLabel)`)).toEqual([]);
  });

  it('the status says that the gateway is gone', async () => {
    const { page, press } = await open('/');
    await page.locator('#keys tr').first().waitFor();
    await page.route('**/status.json', (route) => route.abort());
    await page.getByRole('button', { name: 'Refresh now' }).focus();
    await press('Enter');
    await expect
      .poll(() => page.locator('#problems').innerText())
      .toContain('The gateway does not answer');
    expect(await page.locator('#keys').innerText()).toContain('signs');
  });

  it('a token is explained by keyboard alone', async () => {
    const { page, press, look } = await open('/_explain');
    const answer = page.locator('#answer');
    await page.getByLabel('Route').locator('option').nth(1).waitFor({ state: 'attached' });
    await page.getByRole('textbox', { name: 'Token' }).focus();
    await page.keyboard.insertText(`Bearer ${token.slice(0, -4)}AAAA`);
    await press('Tab');
    await page.keyboard.type('GET /private');
    await press('Tab', 'Enter');
    await expect.poll(() => answer.innerText()).toContain('signature_invalid');
    expect(page.url()).toBe(`${gateway.management}/_explain`);
    await look('explain-production');
  });
});
