import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { createCertificate } from './helpers/certificate.js';
import { freePort } from './helpers/free-port.js';
import { refuseToBoot, startGateway, type Gateway } from './helpers/gateway.js';
import { call } from './helpers/http.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/redis.js';
import { custom, login, pairOf, postForm, refresh, verdictOf } from './helpers/sessions.js';

/** The server and the gateway of one test, which end with it. */
async function startBoth(
  env: Record<string, string>,
  ...options: string[]
): Promise<{ redis: RedisServer; gateway: Gateway }> {
  const redis = await startRedis(...options);
  onTestFinished(() => redis.stop());
  const gateway = await startGateway({ ...env, STATE_STORE: redis.url });
  onTestFinished(async () => void (await gateway.stop()));
  return { redis, gateway };
}

describe.skipIf(withoutRedis)('what compose.yaml starts', () => {
  const { services } = parse(readFileSync('compose.yaml', 'utf8')) as {
    services: {
      gateway: { environment: Record<string, string> };
      redis: { command: string[] };
    };
  };

  it('logs in, refreshes and revokes, and forgets nothing when Redis is killed', async () => {
    const [program, ...options] = services.redis.command;
    expect(program).toBe('redis-server');
    const { redis, gateway } = await startBoth(services.gateway.environment, ...options);
    const pair = await login(gateway.url);
    expect(await custom(gateway.url, pair.access)).toBe('200');
    const next = pairOf(await refresh(gateway.url, pair.refresh));
    expect(await custom(gateway.url, next.access)).toBe('200');
    const other = await login(gateway.url);
    expect((await postForm(`${gateway.url}/token/revoke`, { token: next.access })).status).toBe(
      200,
    );

    await redis.kill();
    await redis.start();
    await expect
      .poll(async () => verdictOf(await refresh(gateway.url, pair.refresh)))
      .toBe('400 refresh_token_reused');
    expect(await custom(gateway.url, next.access)).toBe('401 token_revoked');
    expect(await custom(gateway.url, other.access)).toBe('200');
    // Nothing but the key is written: the rest of the container is read-only.
    expect(readdirSync(gateway.cwd)).toEqual(['keys']);
    expect(await gateway.stop()).toBe(0);
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
    process.stdout.write(
      `Redis hangs: logins took at most ${Math.max(...logins).toFixed(0)} ms, a refresh ${held.ms.toFixed(0)} ms, a revocation ${revoking.ms.toFixed(0)} ms; back after ${back.toFixed(0)} ms\n`,
    );
    expect(Math.max(...logins)).toBeLessThan(1000);
    expect(Math.max(held.ms, revoking.ms)).toBeLessThan(4000);
    expect(await gateway.stop()).toBe(0);
  });
});

describe.skipIf(withoutRedis)('signet explain', () => {
  it('knows what is revoked in Redis, and accepts nothing while it cannot ask', async () => {
    const { redis, gateway } = await startBoth({});
    const explain = (token: string): Promise<{ code: number | null; text: string; ms: number }> =>
      new Promise((done) => {
        const env = { STATE_STORE: redis.url };
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
    process.stdout.write(
      `signet explain: ${accepted.ms.toFixed(0)} ms, Redis hanging ${hanging.ms.toFixed(0)} ms, gone ${gone.ms.toFixed(0)} ms\n`,
    );
    expect(hanging.ms - accepted.ms).toBeLessThan(6000);
  });
});

describe.skipIf(withoutRedis)('a Redis over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-redis-tls-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const authority = createCertificate('Test CA');
  const { cert, key } = createCertificate('redis.test', authority.authority);
  const NODE_EXTRA_CA_CERTS = file('ca.pem', authority.cert);
  let redis: RedisServer;
  let STATE_STORE: string;
  beforeAll(async () => {
    const port = await freePort();
    STATE_STORE = `rediss://:s3cret@127.0.0.1:${port}`;
    const options = {
      port,
      'cert-file': file('cert.pem', cert),
      'key-file': file('key.pem', key),
      'ca-cert-file': NODE_EXTRA_CA_CERTS,
      'auth-clients': 'no',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--tls-${name}`, `${value}`]);
    redis = await startRedis('--requirepass', 's3cret', ...args);
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  it('is used when its certificate is trusted', async () => {
    const gateway = await startGateway({
      STATE_STORE,
      NODE_EXTRA_CA_CERTS,
      REFRESH_BACKEND_PATH: '/refresh.json',
    });
    onTestFinished(async () => void (await gateway.stop()));
    const { access, refresh: token } = await login(gateway.url);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
    expect(verdictOf(await postForm(`${gateway.url}/token/revoke`, { token: access }))).toBe('200');
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });

  it('is refused at boot when it is not, or has another name', async () => {
    const { port } = new URL(STATE_STORE);
    for (const [env, reason] of [
      [{ STATE_STORE }, /self-signed certificate in certificate chain/],
      [
        { STATE_STORE: `rediss://:s3cret@localhost:${port}`, NODE_EXTRA_CA_CERTS },
        /does not match certificate's altnames/,
      ],
    ] as const) {
      const { code, output } = await refuseToBoot(env);
      const lines = output.split('\n').filter((line) => line.startsWith('signet: '));
      expect([code, lines]).toEqual([
        1,
        [expect.stringMatching(/^signet: STATE_STORE cannot be used: rediss:\/\//)],
      ]);
      expect(lines[0]).toMatch(reason);
      expect(output).not.toMatch(/s3cret|^\s+at /m);
    }
  });
});
