import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBlackHole } from './helpers/network/black-hole.js';
import { limit } from './helpers/run/faults.js';
import {
  reply,
  startFaultyBackend,
  type FaultyBackend,
} from './helpers/backends/faulty-backend.js';
import { figure } from './helpers/run/figure.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith, expectError, type Answer } from './helpers/network/http.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { tokenOf } from './helpers/issuers/issuer.js';

const GOOD = JSON.stringify({ access_token: { sub: 'user', aud: 'http://api.example.com' } });
const LIMIT = 20;
let env: Record<string, string>;
let bearer: string;
beforeAll(async () => {
  const jwk = await generateJwk('HS256', 'k1');
  bearer = await tokenOf(jwk);
  env = { SIGNER_KID: 'k1', SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]) };
});

const postToken = (gateway: Gateway): Promise<Answer> =>
  call(`${gateway.url}/token`, { method: 'POST' });
const getCustom = (gateway: Gateway): Promise<Answer> =>
  callWith(`${gateway.url}/private/custom`, bearer);

describe('the circuit breaker', () => {
  let backend: FaultyBackend;
  let gateway: Gateway;
  const good = (): void => backend.does((socket) => socket.write(reply(GOOD)));
  const failing = (): void =>
    backend.does((socket) => socket.write(reply('{}', {}, '500 Internal Server Error')));
  const open = async (): Promise<void> => {
    for (let i = 0; i < LIMIT; i++) await postToken(gateway);
    expectError(await postToken(gateway), 502, 'backend_unavailable', 'server_error');
  };
  const recovered = async (): Promise<number> => {
    const start = performance.now();
    await expect.poll(async () => (await postToken(gateway)).status, { interval: 20 }).toBe(200);
    return Math.round(performance.now() - start);
  };

  beforeAll(async () => {
    backend = await startFaultyBackend();
    good();
    gateway = await hostGateway({ ...env, BACKEND_HOST: backend.url, BACKEND_TIMEOUT_MS: '500' });
    await postToken(gateway);
  });
  afterAll(() => backend?.down());

  it('a backend that is down: 502 at once, whatever needs no backend is served, then recovery', async () => {
    await backend.down();
    const slowest = Math.max(
      ...(await Promise.all(Array.from({ length: 2 * LIMIT }, () => postToken(gateway)))).map(
        (answer) => {
          expectError(answer, 502, 'backend_unavailable', 'server_error');
          return answer.ms;
        },
      ),
    );
    const refused = await postToken(gateway);
    expect(refused.json.error_description).toMatch(/was not called.*ECONNREFUSED/);
    expect((await call(`${gateway.url}/.well-known/jwks.json`)).status).toBe(200);
    expect((await call(`${gateway.url}/health/ready`)).status).toBe(200);
    expectError(await call(`${gateway.url}/private/custom`), 401, 'token_missing');
    await backend.up();
    const recovery = await recovered();
    figure(
      `backend down: slowest 502 ${Math.round(slowest)} ms (criterion 100), recovery ${recovery} ms (criterion 5000)`,
    );
    expect(slowest).toBeLessThan(limit(100, 2000));
    expect(recovery).toBeLessThan(limit(5000, 10_000));
  });

  it('a backend that fails is asked about once a second', async () => {
    failing();
    await open();
    const before = backend.requests.length;
    const start = performance.now();
    while (performance.now() - start < 1500) await getCustom(gateway);
    const seconds = Math.ceil((performance.now() - start) / 1000);
    const probes = backend.requests.length - before;
    expect(probes).toBeGreaterThanOrEqual(1);
    expect(probes).toBeLessThanOrEqual(seconds);
    good();
    await recovered();
    await expect.poll(() => gateway.output()).toMatch(/circuit is open[^"]*answered 500/);
  });

  it('a backend that hangs does not hold up those who come later', async () => {
    backend.does(() => undefined);
    const hung = await Promise.all(Array.from({ length: LIMIT }, () => postToken(gateway)));
    for (const answer of hung) expectError(answer, 504, 'backend_timeout', 'server_error');
    expectError(await postToken(gateway), 502, 'backend_unavailable', 'server_error');
    good();
    expect(await recovered()).toBeLessThan(limit(5000, 10_000));
  });

  it('refusals and answers that cannot be used leave it closed', async () => {
    for (const answer of [
      reply('{"error":"invalid_grant"}', {}, '401 Unauthorized'),
      reply('{}', {}, '429 Too Many Requests'),
      reply('<html>', { 'Content-Type': 'text/html' }),
    ]) {
      backend.does((socket) => socket.write(answer));
      for (let i = 0; i < 2 * LIMIT; i++) await postToken(gateway);
      good();
      expect((await postToken(gateway)).status).toBe(200);
    }
  });

  it('nobody whose requests make the backend fail can open it for the others', async () => {
    backend.does((socket, request) =>
      socket.write(
        request.startsWith('GET') ? reply(GOOD) : reply('{}', {}, '500 Internal Server Error'),
      ),
    );
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: LIMIT - 5 }, () => postToken(gateway)));
      expect((await getCustom(gateway)).status).toBe(200);
    }
  });
});

it('a backend that does not take connections: 504 within the time for one', async () => {
  const hole = await startBlackHole();
  const gateway = await hostGateway({
    ...env,
    BACKEND_HOST: hole.url,
    BACKEND_TIMEOUT_MS: '10000',
  });
  const answers = await Promise.all(Array.from({ length: 5 }, () => postToken(gateway)));
  for (const answer of answers) expectError(answer, 504, 'backend_timeout', 'server_error');
  const slowest = Math.round(Math.max(...answers.map(({ ms }) => ms)));
  figure(`SYNs dropped: 504 after ${slowest} ms (criterion 1000 + 100)`);
  expect(slowest).toBeGreaterThanOrEqual(990);
  expect(slowest).toBeLessThan(limit(1100, 8000));
  await hole.close();
});
