import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FULL } from '../helpers/run/faults.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { fasterClock, metricOf, preload } from '../helpers/gateway/processes.js';
import { startRedis, withoutRedis } from '../helpers/stores/redis.js';
import { tempFolder } from '../helpers/run/resources.js';
import { custom, login, postForm, refresh, verdictOf } from '../helpers/sessions/sessions.js';

/** In the short form the gateway's clock is faster. */
const SPEED = FULL ? 1 : 5;

interface Fault {
  store: string;
  /** What the log says. */
  reason: RegExp;
  /** A command that runs gateways; with `full`, one that boots while nothing can be written. */
  wrapper(full: boolean): readonly string[];
  begin(gateway: GatewayProcess): Promise<unknown>;
  end(gateway: GatewayProcess): Promise<unknown>;
}

/** The signal that would end a process at its limit; without it the write fails, as on a full disk. */
const IGNORING = ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'];
const fileSize = (bytes: string, { process: { pid } }: GatewayProcess): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

const FAULTS: [string, () => Promise<Fault>][] = [
  ...(process.platform === 'linux'
    ? [
        [
          'SQLite on a full disk',
          async (): Promise<Fault> => ({
            store: `sqlite:${join(tempFolder('full'), 'state.db')}`,
            reason: /disk I\/O error|is full/,
            wrapper: (full) => [...(full ? ['prlimit', '--fsize=1:'] : []), ...IGNORING],
            begin: async (gateway) => fileSize('1', gateway),
            end: async (gateway) => fileSize('unlimited', gateway),
          }),
        ] satisfies [string, () => Promise<Fault>],
      ]
    : []),
  ...(withoutRedis
    ? []
    : [
        [
          'Redis without memory left',
          async (): Promise<Fault> => {
            const redis = await startRedis();
            onTestFinished(() => redis.stop());
            const memory = (value: string) => redis.command('CONFIG', 'SET', 'maxmemory', value);
            return {
              store: redis.url,
              reason: /OOM/,
              wrapper: () => [],
              begin: () => memory('1'),
              end: () => memory('0'),
            };
          },
        ] satisfies [string, () => Promise<Fault>],
      ]),
];

describe.each(FAULTS)('%s', (_what, faulty) => {
  it('is read for ever and at boot; only what writes is answered with 503', async () => {
    const fault = await faulty();
    const env = {
      STATE_STORE: fault.store,
      REFRESH_BACKEND_PATH: '/refresh.json',
      NODE_OPTIONS: preload(fasterClock(SPEED)),
      // Also a full disk of its own must not matter.
      NODE_COMPILE_CACHE: '',
    };
    const first = await startGateway(env, tempFolder('cwd'), fault.wrapper(false));
    onTestFinished(async () => void (await first.stop()));
    const [good, revoked] = [await login(first.url), await login(first.url)];
    const revoke = (gateway: GatewayProcess, token: string) =>
      postForm(`${gateway.url}/token/revoke`, { token });
    expect((await revoke(first, revoked.access)).status).toBe(200);

    const reads = async (gateway: GatewayProcess): Promise<void> => {
      expect(await custom(gateway.url, good.access)).toBe('200');
      expect(await custom(gateway.url, revoked.access)).toBe('401 token_revoked');
      const ready = await call(`${gateway.url}/health/ready`);
      expect([ready.status, ready.json]).toEqual([200, { status: 'ok', state: 'read-only' }]);
      expect(verdictOf(await refresh(gateway.url, good.refresh))).toBe('503 state_unavailable');
      expect(verdictOf(await revoke(gateway, good.access))).toBe('503 state_unavailable');
      expect((await call(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
      expect(metricOf(await gateway.metrics(), 'signet_state_writable')).toBe(0);
      expect(metricOf(await gateway.metrics(), 'signet_state_stale_seconds')).toBe(0);
      const told = () => gateway.log().filter(({ msg }) => /takes no writes/.test(String(msg)));
      await expect
        .poll(told)
        .toEqual([expect.objectContaining({ msg: expect.stringMatching(fault.reason) })]);
    };

    await fault.begin(first);
    expect(verdictOf(await revoke(first, good.access))).toBe('503 state_unavailable');
    await expect
      .poll(async () => (await call(`${first.url}/health/ready`)).json.state)
      .toBe('read-only');
    await reads(first);
    // Longer than what was seen would serve without the store.
    await new Promise((resolve) => setTimeout(resolve, 35_000 / SPEED));
    await reads(first);

    const second = await startGateway(env, first.cwd, fault.wrapper(true));
    onTestFinished(async () => void (await second.stop()));
    await reads(second);
    await first.stop();
    // Alone, and without what a gateway leaves beside its database.
    const third = await startGateway(env, first.cwd, fault.wrapper(true));
    onTestFinished(async () => void (await third.stop()));
    await reads(third);

    await fault.end(second);
    await fault.end(third);
    await expect
      .poll(async () => (await call(`${third.url}/health/ready`)).json)
      .toEqual({ status: 'ok' });
    expect(verdictOf(await refresh(third.url, good.refresh))).toBe('200');
    expect((await revoke(third, good.access)).status).toBe(200);
    await expect.poll(() => custom(second.url, good.access)).toBe('401 token_revoked');
    expect(third.log().some(({ msg }) => /takes writes again/.test(String(msg)))).toBe(true);
  }, 180_000);
});
