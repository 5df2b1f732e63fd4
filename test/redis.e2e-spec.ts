import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createCertificate } from './helpers/network/certificate.js';
import { freePort } from './helpers/run/free-port.js';
import { refuseToBoot, startGateway } from './helpers/gateway/gateway.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/stores/redis.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
} from './helpers/sessions/sessions.js';
import { tempFolder } from './helpers/run/resources.js';

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
    const redis = await startRedis(...options);
    const gateway = await startGateway({
      ...services.gateway.environment,
      STATE_STORE: redis.url,
    });
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
    await redis.stop();
  });
});

describe.skipIf(withoutRedis)('a Redis over TLS', () => {
  const folder = tempFolder('redis-tls');
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
  afterAll(() => redis?.stop());

  it('is used when its certificate is trusted', async () => {
    const gateway = await startGateway({
      STATE_STORE,
      NODE_EXTRA_CA_CERTS,
      REFRESH_BACKEND_PATH: '/refresh.json',
    });
    const { access, refresh: token } = await login(gateway.url);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
    expect(verdictOf(await postForm(`${gateway.url}/token/revoke`, { token: access }))).toBe('200');
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
    await gateway.stop();
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
