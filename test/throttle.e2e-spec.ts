import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, expectError, type Answer } from './helpers/network/http.js';
import { tempFolder } from './helpers/run/resources.js';

const LIMIT = { THROTTLE_LIMIT: '5', THROTTLE_TTL_MS: '60000' };
let backend: Backend | undefined;
afterEach(async () => {
  await backend?.stop();
  backend = undefined;
});

const post = ({ url }: Gateway, path = '/token', from?: string): Promise<Answer> =>
  call(url + path, {
    method: 'POST',
    headers: from === undefined ? {} : { 'x-forwarded-for': from },
  });
const statuses = async (count: number, send: () => Promise<Answer>): Promise<number[]> => {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await send()).status);
  return all;
};

describe('THROTTLE_LIMIT', () => {
  it('refuses a client address that asks the token endpoints too often, and asks no backend', async () => {
    backend = await startBackend();
    await backend.answer('/token.json', { status: 401, body: { error: 'invalid_grant' } });
    const gateway = await hostGateway({ ...LIMIT, BACKEND_HOST: backend.url });
    expect(await statuses(4, () => post(gateway))).toEqual([401, 401, 401, 401]);
    // All token endpoints have one limit.
    expect((await post(gateway, '/token/revoke')).status).toBe(400);
    const refused = await post(gateway);
    expectError(refused, 429, 'rate_limited', 'invalid_request');
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await post(gateway, '/token/revoke')).status).toBe(429);
    expect(backend.seen).toHaveLength(4);
  });

  it('leaves all other routes alone', async () => {
    const gateway = await hostGateway(LIMIT);
    await statuses(6, () => post(gateway));
    for (const path of ['/health/live', '/health/ready', '/.well-known/jwks.json'])
      expect(await statuses(10, () => call(gateway.url + path))).toEqual(Array(10).fill(200));
    expect((await call(`${gateway.url}/private/custom`)).status).toBe(401);
  });

  it('lets a client in again when its window ends', async () => {
    const gateway = await hostGateway({ THROTTLE_LIMIT: '2', THROTTLE_TTL_MS: '1000' });
    expect(await statuses(3, () => post(gateway))).toEqual([200, 200, 429]);
    await expect.poll(async () => (await post(gateway)).status, { interval: 100 }).toBe(200);
  });

  it('goes by the address that TRUST_PROXY tells, and by nothing a client says', async () => {
    const direct = await hostGateway(LIMIT);
    const spoofed = await Promise.all(
      Array.from({ length: 6 }, (_, i) => post(direct, '/token', `10.0.0.${i}`)),
    );
    expect(spoofed.filter(({ status }) => status === 429)).toHaveLength(1);

    const proxied = await hostGateway({ ...LIMIT, TRUST_PROXY: 'loopback' });
    expect(await statuses(6, () => post(proxied, '/token', '10.0.0.1'))).toContain(429);
    expect(await statuses(5, () => post(proxied, '/token', '10.0.0.2'))).not.toContain(429);
    // Whoever has one IPv6 address has a whole network of them.
    let host = 0;
    expect(await statuses(6, () => post(proxied, '/token', `2001:db8:1:1::${++host}`))).toContain(
      429,
    );
    expect((await post(proxied, '/token', '2001:db8:2:2::1')).status).toBe(200);
  });

  it('is off by default, and on in production', async () => {
    const plain = await hostGateway({});
    expect(await statuses(20, () => post(plain))).toEqual(Array(20).fill(200));
    backend = await startBackend();
    await backend.answer('/token.json', { body: { access_token: { sub: 'u' } } });
    const production = await hostGateway({
      NODE_ENV: 'production',
      WORKERS: '1',
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: join(plain.cwd, 'keys/signing.jwks.json'),
    });
    expect(await statuses(300, () => post(production))).toEqual(Array(300).fill(200));
    expect((await post(production)).status).toBe(429);
  });

  it('counts for all processes of a machine together', async () => {
    const STATE_STORE = `sqlite:${join(tempFolder(), 'signet.db')}`;
    const gateway = await startGateway({ ...LIMIT, STATE_STORE, WORKERS: '2' });
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(gateway)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    await gateway.stop();
  });
});
