// What each signal does in each phase: the table of docs/production.md.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { byBasic, clientsText, withSecret, writeClients } from '../helpers/sessions/clients.js';
import {
  exitOf,
  gatewayEnvironment,
  startGateway,
  type GatewayProcess,
} from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { AUDIENCE } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { isAlive, workersOf } from '../helpers/gateway/processes.js';
import { startRedis, withoutRedis, type RedisServer } from '../helpers/stores/redis.js';
import { isRunning, kill, tempFolder, track } from '../helpers/run/resources.js';

const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
const NOTHING = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const;
const WORKERS = ['1', '2'];
/** Time in which a signal that should do nothing could do something. */
const MOMENT_MS = 400;

/** The environment of a gateway in production. */
async function production(): Promise<Record<string, string>> {
  return {
    NODE_ENV: 'production',
    BACKEND_HOST: 'http://127.0.0.1:9',
    PUBLIC_URL: 'http://localhost',
    SIGNER_ALG: 'ES256',
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('ES256', 'first')]),
    VALIDATOR_AUDIENCE: AUDIENCE,
    KEY_RELOAD_INTERVAL_MS: '0',
  };
}

/** Starts a gateway that need not come to listen. */
function launch(env: Record<string, string>, wrapper: readonly string[] = []) {
  const cwd = tempFolder('cwd');
  const [command, ...args] = [...wrapper, process.execPath, resolve('dist/main.js')];
  const child: ChildProcess = track(
    spawn(command, args, {
      cwd,
      env: gatewayEnvironment(env, cwd),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  onTestFinished(() => kill(child));
  return { process: child, output: () => output };
}
const end = async (child: ChildProcess): Promise<number | null> => {
  if (isRunning(child)) await once(child, 'exit');
  return child.exitCode;
};
const ready = async ({ url }: GatewayProcess): Promise<number> =>
  (await call(`${url}/health/ready`, { headers: { connection: 'close' } })).status;

/** A Redis that answers nobody until it is let: a boot waits for it. */
async function heldRedis(redis: RedisServer) {
  const waiting: Socket[] = [];
  let held = true;
  const pass = (client: Socket): void => {
    const upstream = connect(redis.port, '127.0.0.1');
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      from
        .on('error', () => undefined)
        .on('close', () => into.destroy())
        .pipe(into);
  };
  const server: Server = createServer((client) => {
    if (held) waiting.push(client.on('error', () => undefined));
    else pass(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const client of waiting) client.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached: async () => {
      await expect.poll(() => waiting.length, { interval: 5 }).toBeGreaterThan(0);
    },
    letGo: () => {
      held = false;
      for (const client of waiting.splice(0)) pass(client);
    },
  };
}

describe.skipIf(withoutRedis).each(WORKERS)('while it boots, with WORKERS=%s', (workers) => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it.each(ENDING)('%s ends it at once', async (signal) => {
    const { url, reached } = await heldRedis(redis);
    const gateway = launch({ STATE_STORE: url, WORKERS: workers });
    await reached();
    const started = workers === '1' ? [] : workersOf(gateway.process.pid);
    gateway.process.kill(signal);
    expect(await end(gateway.process)).toBe(0);
    expect(gateway.output()).not.toMatch(/Listening|signet: /);
    await expect.poll(() => started.filter(isAlive)).toEqual([]);
  });

  it('the others do nothing', async () => {
    const { url, reached, letGo } = await heldRedis(redis);
    const gateway = launch({ ...(await production()), STATE_STORE: url, WORKERS: workers });
    await reached();
    for (const signal of NOTHING) gateway.process.kill(signal);
    await sleep(MOMENT_MS);
    letGo();
    await expect.poll(() => gateway.output()).toContain('Listening on');
    expect(gateway.output()).not.toContain('Debugger');
    gateway.process.kill('SIGTERM');
    expect(await end(gateway.process)).toBe(0);
  });
});

describe.each(WORKERS)('with WORKERS=%s', (workers) => {
  const start = async (env: Record<string, string> = {}): Promise<GatewayProcess> => {
    const gateway = await startGateway({ ...(await production()), WORKERS: workers, ...env });
    onTestFinished(() => kill(gateway.process));
    return gateway;
  };
  const processes = ({ process: { pid = 0 } }: GatewayProcess): number[] => [
    pid,
    ...(workers === '1' ? [] : workersOf(pid)),
  ];

  it.each(ENDING)('%s ends it in order, and a second one at once', async (signal) => {
    const gateway = await start({ SHUTDOWN_DELAY_MS: '60000' });
    const pids = processes(gateway);
    expect(await ready(gateway)).toBe(200);
    gateway.process.kill(signal);
    await expect.poll(() => gateway.output()).toContain(`${signal}: shutting down`);
    await expect.poll(() => ready(gateway)).toBe(503);

    for (const pid of pids) for (const other of NOTHING) process.kill(pid, other);
    await sleep(MOMENT_MS);
    expect(await ready(gateway)).toBe(503);
    expect(pids.filter(isAlive)).toEqual(pids);
    expect(gateway.output()).not.toContain('read again');

    gateway.process.kill(signal);
    expect(await exitOf(gateway)).toBe(1);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    await gateway.stop();
  });

  it.each(ENDING)('%s ends it with code 0 when there is nothing to wait for', async (signal) => {
    const gateway = await start();
    gateway.process.kill(signal);
    expect(await exitOf(gateway)).toBe(0);
    await gateway.stop();
  });

  it('SIGUSR1, SIGUSR2 and SIGPIPE do nothing in production', async () => {
    const gateway = await start();
    for (const pid of processes(gateway))
      for (const signal of NOTHING) if (signal !== 'SIGHUP') process.kill(pid, signal);
    await sleep(MOMENT_MS);
    expect(await ready(gateway)).toBe(200);
    expect(processes(gateway).every(isAlive)).toBe(true);
    expect(gateway.output()).not.toContain('Debugger');
    expect(await gateway.stop()).toBe(0);
  });

  it('SIGUSR1 does nothing where .env says production, either', async () => {
    const { NODE_ENV, ...rest } = await production();
    const cwd = tempFolder('cwd');
    writeFileSync(resolve(cwd, '.env'), `NODE_ENV=${NODE_ENV}\n`);
    const gateway = await startGateway({ ...rest, WORKERS: workers }, cwd);
    onTestFinished(() => kill(gateway.process));
    for (const pid of processes(gateway)) process.kill(pid, 'SIGUSR1');
    await sleep(MOMENT_MS);
    expect(await ready(gateway)).toBe(200);
    expect(gateway.output()).not.toContain('Debugger');
    expect(await gateway.stop()).toBe(0);
  });

  it('SIGHUP reads keys and clients again', async () => {
    const keys = writeKeys([await generateJwk('ES256', 'first')]);
    const client = (id: string) =>
      withSecret('s3cret', {
        client_id: id,
        grant_types: ['client_credentials'],
        claims: { tenant: 'a' },
      });
    const clients = writeClients([client('one')]);
    const gateway = await start({ SIGNER_JWK_LOCAL_PATH: keys, CLIENTS_FILE: clients });
    const kids = async (): Promise<unknown[]> => {
      const { json } = await call(`${gateway.url}/.well-known/jwks.json`, {
        headers: { connection: 'close' },
      });
      return (json.keys as { kid: string }[]).map(({ kid }) => kid);
    };
    const grant = async (id: string): Promise<number> => {
      const { status } = await call(`${gateway.url}/token`, {
        method: 'POST',
        headers: { ...byBasic(id, 's3cret').headers, connection: 'close' },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      return status;
    };
    expect([await kids(), await grant('one'), await grant('two')]).toEqual([['first'], 200, 401]);
    writeFileSync(
      keys,
      JSON.stringify({
        keys: [await generateJwk('ES256', 'first'), await generateJwk('EdDSA', 'second')],
      }),
    );
    writeFileSync(clients, clientsText([client('one'), client('two')]));
    // Nobody is told: reload by itself is off.
    await sleep(MOMENT_MS);
    expect(await kids()).toEqual(['first']);
    gateway.process.kill('SIGHUP');
    for (let round = 0; round < 6; round++) {
      await expect.poll(kids).toEqual(['first', 'second']);
      await expect.poll(() => grant('two')).toBe(200);
    }
    expect(gateway.output().match(/SIGHUP: keys and clients are read again/g)).toHaveLength(1);
    expect(await gateway.stop()).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal', () => {
  it('SIGHUP, the end of the terminal, ends it in order', async () => {
    const cwd = tempFolder('cwd');
    const command = `exec '${process.execPath}' '${resolve('dist/main.js')}'`;
    const terminal = track(
      spawn('script', ['-qefc', command, '/dev/null'], {
        cwd,
        env: gatewayEnvironment({}, cwd),
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    onTestFinished(() => kill(terminal));
    let output = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await expect.poll(() => output).toContain('Listening on');
    const [pid = 0] = workersOf(terminal.pid);
    process.kill(pid, 'SIGHUP');
    expect(await end(terminal)).toBe(0);
    expect(output).toContain('SIGHUP: shutting down');
    expect(isAlive(pid)).toBe(false);
  });
});

const ALONE = ['unshare', '--pid', '--fork', '--kill-child'];
describe.skipIf(spawnSync(ALONE[0] as string, [...ALONE.slice(1), 'true']).status !== 0)(
  'as PID 1',
  () => {
    const start = async (workers: string): Promise<[GatewayProcess, pid: number]> => {
      const env = { ...(await production()), WORKERS: workers };
      const gateway = await startGateway(env, tempFolder('cwd'), ALONE);
      onTestFinished(() => kill(gateway.process));
      return [gateway, workersOf(gateway.process.pid)[0] ?? 0];
    };

    it.each(WORKERS)('ends by SIGTERM, with WORKERS=%s', async (workers) => {
      const [gateway, pid] = await start(workers);
      for (const signal of NOTHING) process.kill(pid, signal);
      await sleep(MOMENT_MS);
      expect(await ready(gateway)).toBe(200);
      process.kill(pid, 'SIGTERM');
      expect(await exitOf(gateway)).toBe(0);
      await gateway.stop();
    });

    it('leaves no zombie of a worker', async () => {
      const [gateway, pid] = await start('2');
      const [victim = 0] = workersOf(pid);
      process.kill(victim, 'SIGKILL');
      await expect.poll(() => gateway.output()).toContain('Worker 3 serves');
      // Gone altogether, and not waiting for somebody to ask about it.
      expect(() => process.kill(victim, 0)).toThrow(/ESRCH/);
      process.kill(pid, 'SIGTERM');
      expect(await exitOf(gateway)).toBe(0);
      await gateway.stop();
    });

    it.skipIf(withoutRedis)('SIGTERM ends it at once while it boots', async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const { url, reached } = await heldRedis(redis);
      const gateway = launch({ STATE_STORE: url }, ALONE);
      await reached();
      const [pid = 0] = workersOf(gateway.process.pid);
      process.kill(pid, 'SIGTERM');
      expect(await end(gateway.process)).toBe(0);
    });
  },
);
