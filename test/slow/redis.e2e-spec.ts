import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TokenNames } from '../../src/core/revocation/index.js';
import { openStore, Revocations, StateUnavailableException } from '../../src/state/index.js';
import { limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { ISSUER } from '../helpers/issuers/issuer.js';
import { startRedis, withoutRedis, type RedisServer } from '../helpers/stores/redis.js';
import { custom, login, postForm, refresh, verdictOf } from '../helpers/sessions/sessions.js';

/** The server and the gateway of one test, which end with it. */
async function startBoth(
  env: Record<string, string>,
  ...options: string[]
): Promise<{ redis: RedisServer; gateway: GatewayProcess }> {
  const redis = await startRedis(...options);
  onTestFinished(() => redis.stop());
  const gateway = await startGateway({ ...env, STATE_STORE: redis.url });
  onTestFinished(async () => void (await gateway.stop()));
  return { redis, gateway };
}

describe.skipIf(withoutRedis)('a Redis that is started again', () => {
  it('is waited for while it reads its data: nobody revokes meanwhile', async () => {
    // Of its own tests: it takes its time for each key, and looks after its clients often.
    const slowly = ['--key-load-delay', '30000', '--loading-process-events-interval-bytes', '1024'];
    const redis = await startRedis('--appendonly', 'yes', ...slowly);
    onTestFinished(() => redis.stop());
    const revocations = await Revocations.open(await openStore(redis.url), {
      longestTokenTtl: 600,
      pollMs: 50,
      maxStalenessMs: 500,
    });
    onTestFinished(() => revocations.onApplicationShutdown());
    const token = (jti: string): TokenNames => ({ claims: { jti }, signingInput: jti });
    for (let one = 0; one < 100; one++)
      await revocations.revoke({ kind: 'jti', value: String(one) });
    await redis.command('BGREWRITEAOF');
    await expect
      .poll(async () => String(await redis.command('INFO', 'persistence')))
      .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
    const verdict = (): string => {
      try {
        return [revocations.isRevoked(token('99')), revocations.isRevoked(token('x'))].join();
      } catch (error) {
        return String(error instanceof StateUnavailableException && error.details.explanation);
      }
    };
    expect(verdict()).toBe('true,false');
    await redis.kill();
    await expect.poll(verdict).toMatch(/has not answered for more than 0.5 s/);

    const loading = new AbortController();
    const starting = redis.start().then(() => loading.abort());
    const begun = performance.now();
    await expect.poll(verdict, { interval: 5 }).toBe('true,false');
    expect(loading.signal.aborted).toBe(false);
    const verdicts = new Set<string>();
    while (!loading.signal.aborted) {
      verdicts.add(verdict());
      await sleep(5);
    }
    await starting;
    expect([...verdicts]).toEqual(['true,false']);
    // Longer than silence is borne.
    expect(performance.now() - begun).toBeGreaterThan(1500);
    await expect.poll(() => revocations.staleSeconds).toBe(0);
    expect(verdict()).toBe('true,false');
  });
});

describe.skipIf(withoutRedis)('a Redis that hangs', () => {
  it('holds up one login for a moment, lets nothing be refreshed, and is picked up again', async () => {
    const { redis, gateway } = await startBoth({
      THROTTLE_LIMIT: '1000',
      REFRESH_BACKEND_PATH: '/refresh.json',
    });
    const { url } = gateway;
    const [good, bad] = [await login(url), await login(url)];
    expect((await postForm(`${url}/token/revoke`, { token: bad.access })).status).toBe(200);

    redis.process().kill('SIGSTOP');
    const logins: number[] = [];
    for (let i = 0; i < 30; i++) {
      const answer = await call(`${url}/token`, { method: 'POST' });
      expect(answer.status).toBe(200);
      logins.push(answer.ms);
      expect(await custom(url, good.access)).toBe('200');
      expect(await custom(url, bad.access)).toBe('401 token_revoked');
    }
    const held = await refresh(url, good.refresh);
    expect(verdictOf(held)).toBe('503 state_unavailable');
    const revoking = await postForm(`${url}/token/revoke`, { token: good.access });
    expect(verdictOf(revoking)).toBe('503 state_unavailable');
    expect((await call(`${url}/health/ready`)).status).toBe(200);

    redis.process().kill('SIGCONT');
    const began = performance.now();
    await expect.poll(() => gateway.metrics()).toMatch(/^signet_state_stale_seconds 0$/m);
    const back = performance.now() - began;
    // What was answered with 503 was not done in secret.
    expect(verdictOf(await refresh(url, good.refresh))).toBe('200');
    figure(
      `Redis hangs: logins took at most ${Math.max(...logins).toFixed(0)} ms, a refresh ${held.ms.toFixed(0)} ms, a revocation ${revoking.ms.toFixed(0)} ms; back after ${back.toFixed(0)} ms`,
    );
    expect(Math.max(...logins)).toBeLessThan(limit(1000, 5000));
    expect(Math.max(held.ms, revoking.ms)).toBeLessThan(limit(4000, 15_000));
    expect(await gateway.stop()).toBe(0);
  });
});

describe.skipIf(withoutRedis)('signet explain', () => {
  it('knows what is revoked in Redis, and accepts nothing while it cannot ask', async () => {
    const { redis, gateway } = await startBoth({});
    const explain = (token: string): Promise<{ code: number | null; text: string; ms: number }> =>
      new Promise((done) => {
        const env = { STATE_STORE: redis.url, SIGNER_ISSUER: ISSUER };
        const args = [resolve('dist/cli/main.js'), 'explain', '-'];
        const began = performance.now();
        const child = execFile(process.execPath, args, { cwd: gateway.cwd, env }, (_error, text) =>
          done({ code: child.exitCode, text, ms: performance.now() - began }),
        );
        child.stdin?.end(token);
      });
    const [good, bad] = [await login(gateway.url), await login(gateway.url)];
    await postForm(`${gateway.url}/token/revoke`, { token: bad.access });
    const accepted = await explain(good.access);
    expect(accepted).toMatchObject({ code: 0, text: expect.stringMatching(/^ok {7}revocation/m) });
    const revoked = await explain(bad.access);
    expect(revoked.code).toBe(1);
    expect(revoked.text).toMatch(/^REFUSED {2}revocation [^]*The token is refused: token_revoked/m);

    redis.process().kill('SIGSTOP');
    const hanging = await explain(good.access);
    expect(hanging.text).toMatch(/^- {8}revocation .*redis:.*no answer within 2000 ms/m);
    await redis.kill();
    const gone = await explain(good.access);
    expect(gone.text).toMatch(/^- {8}revocation .*redis:.*ECONNREFUSED/m);
    for (const { code, text } of [hanging, gone]) {
      expect([code, text]).toEqual([1, expect.stringMatching(/refused: state_unavailable\n$/)]);
      expect(text).toMatch(/^ok {7}signature/m);
    }
    figure(
      `signet explain: ${accepted.ms.toFixed(0)} ms, Redis hanging ${hanging.ms.toFixed(0)} ms, gone ${gone.ms.toFixed(0)} ms`,
    );
    expect(hanging.ms - accepted.ms).toBeLessThan(limit(6000, 30_000));
  });
});
