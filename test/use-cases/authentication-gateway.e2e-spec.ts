import { spawn, type ChildProcess } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { call, callWith } from '../helpers/network/http.js';
import { tokenOf } from '../helpers/issuers/issuer.js';
import { freePort } from '../helpers/run/free-port.js';
import { generateJwk } from '../helpers/issuers/keys.js';
import { bash, blocksOf, startAsPrinted } from '../helpers/pages/manual.js';
import { login } from '../helpers/sessions/sessions.js';
import { kill, tempFolder, track } from '../helpers/run/resources.js';

/** Two services that know of the gateway nothing but its address. */
const [START, SERVICE] = blocksOf('recipes', 'Authentication gateway', 'bash', 'js');
let gateway: Gateway;
const services: { url: string; process: ChildProcess }[] = [];

beforeAll(async () => {
  const directory = tempFolder('service');
  // The key of the first start is there.
  await (await startGateway({}, directory)).stop();
  await bash(blocksOf('recipes', 'A key for ES256', 'bash')[0], {}, directory);
  gateway = await startAsPrinted(START, directory);
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'service.mjs'), SERVICE);
  for (let count = 0; count < 2; count++) {
    const port = await freePort();
    const env = { ...process.env, SIGNET: gateway.url, PORT: String(port) };
    const child = track(
      spawn(process.execPath, ['service.mjs'], { cwd: directory, env, stdio: 'inherit' }),
    );
    services.push({ url: `http://127.0.0.1:${port}`, process: child });
  }
  for (const { url } of services) await vi.waitFor(() => call(url), { timeout: 10_000 });
});
afterAll(async () => {
  for (const { process: child } of services) await kill(child);
  await gateway?.stop();
});

/** What both services say to a token. */
const statuses = (token: string): Promise<number[]> =>
  Promise.all(services.map(async ({ url }) => (await callWith(url, token)).status));

it('one login opens two services, which verify by themselves', async () => {
  const { access, refresh } = await login(gateway.url);
  const stranger = await tokenOf(await generateJwk('ES256', 'key-1'));
  for (const { url } of services) {
    const answer = await callWith(url, access);
    expect([answer.status, answer.json]).toEqual([200, { hello: '1234567890qwertyuio' }]);
  }
  expect(await statuses('')).toEqual([401, 401]);
  expect(await statuses(refresh)).toEqual([401, 401]);
  expect(await statuses(stranger)).toEqual([401, 401]);
  const [header = '', , signature = ''] = access.split('.');
  const [, otherClaims = ''] = (await login(gateway.url)).access.split('.');
  expect(await statuses([header, otherClaims, signature].join('.'))).toEqual([401, 401]);

  await gateway.stop();
  expect(await statuses(access)).toEqual([200, 200]);
  expect(await statuses(stranger)).toEqual([401, 401]);
});
