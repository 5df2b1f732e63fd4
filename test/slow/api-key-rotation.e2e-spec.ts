import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../helpers/apps/compile.js';
import {
  createConsumer,
  ES_MODULES,
  pack,
  startConsumer,
  type RunningConsumer,
} from '../helpers/apps/consumer.js';
import { call, type Answer } from '../helpers/network/http.js';
import { tokenOf } from '../helpers/issuers/issuer.js';
import { part } from '../helpers/issuers/keys.js';
import { bash, blocksOf, fileOf } from '../helpers/pages/manual.js';
import { verdictOf } from '../helpers/sessions/sessions.js';

/** The manual's library application with the recipe's module for API keys, around the packed package. */
const [API_KEYS] = blocksOf('recipes', 'API keys', 'ts');
const [GENERATE, MODULE, MAIN] = blocksOf('library', 'An application', 'bash', 'ts', 'ts');
/** As the recipe says. */
const WITH_API_KEYS = MODULE.replace('imports: [', 'imports: [\n    ApiKeysModule,').replace(
  "from 'nest-signet';",
  "from 'nest-signet';\nimport { ApiKeysModule } from './api-keys.module.js';",
);
let directory: string;
let app: RunningConsumer;

const rotate = (options: string): Promise<string> =>
  bash(`npm run keys -- rotate ${options} --file keys.json`, {}, directory);

beforeAll(async () => {
  const { tarball } = await pack();
  directory = await createConsumer(tarball, {
    ...ES_MODULES,
    ...Object.fromEntries([fileOf(API_KEYS), fileOf(WITH_API_KEYS)]),
    'src/main.ts': `${MAIN}\nconsole.log(JSON.stringify({ url: await app.getUrl() }));\n`,
  });
  const problems = compile(directory);
  if (problems !== '') throw new Error(problems);
  await bash(GENERATE, {}, directory);
  app = await startConsumer(directory, { PORT: '0' });
}, 120_000);
afterAll(() => app?.stop());

const TOKENS = { iss: 'https://id.example.com', aud: 'https://api.example.com' };
/** A token of an admin, as a login would have it signed. */
const adminToken = (): Promise<string> => {
  const { keys } = JSON.parse(readFileSync(join(directory, 'keys.json'), 'utf8')) as {
    keys: JWK[];
  };
  return tokenOf(keys[0] as JWK, { ...TOKENS, roles: ['admin'] });
};
const asAdmin = async (method: string, path: string, body?: object): Promise<Answer> =>
  call(`${app.hello.url}/api-keys${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await adminToken()}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const issue = async (name: string, seconds?: number): Promise<{ id: string; key: string }> =>
  (await asAdmin('POST', '', { name, seconds })).json as { id: string; key: string };
/** What the API says to a key. */
const use = async (key: string): Promise<string> =>
  verdictOf(await call(`${app.hello.url}/api-keys/whoami`, { headers: { 'x-api-key': key } }));

describe('an API key', () => {
  it('is a token that opens what asks for one, until its day', async () => {
    const { id, key } = await issue('shop');
    expect(part(key, 0)).toMatchObject({ alg: 'ES256', typ: 'api-key+jwt' });
    const { exp, iat, ...claims } = part(key, 1);
    expect(claims).toEqual({ ...TOKENS, jti: id, sub: 'shop' });
    expect(Number(exp) - Number(iat)).toBe(7_776_000);
    expect(await use(key)).toBe('200');
    const bearer = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const misused = await call(`${app.hello.url}/api-keys`, {
      method: 'POST',
      headers: bearer,
      body: '{}',
    });
    expect(verdictOf(misused)).toBe('401 invalid_token');
    expect(await use(await adminToken())).toBe('401 invalid_token');

    const short = await issue('shop', 2);
    expect(await use(short.key)).toBe('200');
    await expect.poll(() => use(short.key)).toBe('401 invalid_token');
    expect(await use(key)).toBe('200');
  });

  it('is issued with a name and a lifetime that are allowed', async () => {
    for (const body of [{}, { name: 'a b' }, { name: 'a', seconds: 7_776_001 }])
      expect((await asAdmin('POST', '', body)).status).toBe(400);
  });

  it('overlaps with the next one, and is withdrawn by its id', async () => {
    const [old, next] = [await issue('shop'), await issue('shop')];
    expect([await use(old.key), await use(next.key)]).toEqual(['200', '200']);
    expect((await asAdmin('DELETE', `/${old.id}`)).status).toBe(204);
    expect([await use(old.key), await use(next.key)]).toEqual(['401 invalid_token', '200']);
  });

  it('outlives the rotation of the key that signed it', async () => {
    const before = await issue('shop');
    const step = '--cache-seconds 0 --ttl-seconds 7776000';
    expect(await rotate(step)).toContain('prepared');
    await expect
      .poll(() => rotate(step), { timeout: 15_000, interval: 500 })
      .toContain('activated');
    const kid = part(before.key, 0).kid;
    await expect.poll(async () => part((await issue('shop')).key, 0).kid).not.toBe(kid);
    const after = await issue('shop');
    expect([await use(before.key), await use(after.key)]).toEqual(['200', '200']);
  });
});
