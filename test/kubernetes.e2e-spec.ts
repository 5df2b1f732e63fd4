import { copyFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { part } from './helpers/issuers/keys.js';
import { bash } from './helpers/pages/manual.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/stores/redis.js';
import { login } from './helpers/sessions/sessions.js';

const FILE = 'ops/kubernetes.yaml';
interface Container {
  args?: string[];
  resources: { limits: { memory: string } };
  env?: { name: string; value: string }[];
  volumeMounts: { mountPath: string }[];
}
const containers = new Map(
  parseAllDocuments(readFileSync(FILE, 'utf8'))
    .map(
      (document) =>
        document.toJS() as {
          spec: { template?: { spec: { containers: Container[] } } };
          metadata: { name: string };
        },
    )
    .flatMap(({ metadata, spec }) =>
      (spec.template?.spec.containers ?? []).map(
        (container) => [metadata.name, container] as const,
      ),
    ),
);

/** The commands that stand at the head of the file, a pod of it beside a Redis of it. */
describe.skipIf(withoutRedis)('ops/kubernetes.yaml', () => {
  const directory = mkdtempSync(join(tmpdir(), 'signet-kubernetes-'));
  let redis: RedisServer;
  let backend: Backend;
  let gateway: Gateway | undefined;
  beforeAll(async () => {
    redis = await startRedis(...(containers.get('signet-redis')?.args?.slice(1) ?? []));
    backend = await startBackend();
  });
  afterEach(() => gateway?.stop());
  afterAll(async () => {
    await Promise.all([backend.stop(), redis.stop()]);
    rmSync(directory, { recursive: true });
  });

  it('stops the writes of Redis before the kernel stops Redis', () => {
    const { args = [], resources } = containers.get('signet-redis') as Container;
    const option = (name: string): string => args[args.indexOf(`--${name}`) + 1] ?? '';
    const bytes = (text: string): number => Number.parseInt(text, 10) * 2 ** 20;
    expect([option('maxmemory'), resources.limits.memory, option('maxmemory-policy')]).toEqual([
      expect.stringMatching(/^\d+mb$/),
      expect.stringMatching(/^\d+Mi$/),
      'noeviction',
    ]);
    expect(bytes(option('maxmemory'))).toBeLessThan(0.7 * bytes(resources.limits.memory));
  });

  it('boots with the key that its head makes, and serves what it signed', async () => {
    const commands = [...readFileSync(FILE, 'utf8').matchAll(/^# {3}(\S.*)$/gm)].map(
      ([, command = '']) => command,
    );
    expect(commands).toHaveLength(2);
    const [generate = '', createSecret = ''] = commands;
    await bash(generate, {}, directory);
    const [, name = '', file = ''] = / --from-file=([^=]+)=(\S+)$/.exec(createSecret) ?? [];

    // The volume: the file of the secret below the working directory of the image, as fsGroup leaves it.
    const { env = [], volumeMounts = [] } = containers.get('signet') ?? {};
    const [keys] = volumeMounts.map(({ mountPath }) => join(directory, mountPath));
    const app = join(directory, 'app');
    mkdirSync(keys ?? '', { recursive: true });
    copyFileSync(join(directory, file), join(keys ?? '', name));
    chmodSync(join(keys ?? '', name), 0o440);

    gateway = await startGateway(
      {
        NODE_ENV: 'production',
        SIGNER_ISSUER: '',
        ...Object.fromEntries(env.map((one) => [one.name, one.value])),
        // The services of the cluster.
        BACKEND_HOST: backend.url,
        STATE_STORE: redis.url,
        SHUTDOWN_DELAY_MS: '0',
      },
      app,
    );
    expect((await call(`${gateway.url}/health/ready`)).status).toBe(200);
    const aud = env.find((one) => one.name === 'VALIDATOR_AUDIENCE')?.value;
    await backend.answer('/token.json', {
      body: { access_token: { sub: '42', aud, roles: ['role_a'] } },
    });
    await backend.answer('/user/1.json', { body: { name: 'Ada' } });
    const { access } = await login(gateway.url);
    expect(part(access, 0)).toMatchObject({ alg: 'ES256' });
    expect((await callWith(`${gateway.url}/private/custom`, access)).json).toEqual({ name: 'Ada' });
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
  });
});
