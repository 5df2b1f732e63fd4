// What is promised under each fault of each store (docs/production.md), and what is observed. Clients of several
// gateways write a history, one fault happens, and the history is judged. `SIGNET_NEMESIS=all` does all of it,
// `SIGNET_NEMESIS=write` writes the table of the manual, too (with `-t SQLite`, its part); another word is looked for in the names of faults.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { Client } from 'pg';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { FULL, limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { freePort } from '../helpers/run/free-port.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import {
  acceptedLate,
  confirmedRevoked,
  History,
  superseded,
  twoWinners,
  type Step,
} from '../helpers/stores/history.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { startRedisBalancer } from '../helpers/network/load-balancer.js';
import { machineClock, type MachineClock } from '../helpers/run/machine-clock.js';
import { openLink, type NetworkLink } from '../helpers/network/network-link.js';
import {
  startPostgres,
  startStandby,
  stopBackends,
  type PostgresServer,
} from '../helpers/stores/postgres.js';
import { preload } from '../helpers/gateway/processes.js';
import {
  HAPROXY_MISSING,
  POSTGRES_MISSING,
  REDIS_MISSING,
  VALKEY_MISSING,
  withoutHaproxy,
  withoutPostgres,
  withoutRedis,
  withoutValkey,
} from '../helpers/run/programs.js';
import {
  redisCommand,
  SENTINEL_SERVICE,
  startCluster,
  startRedis,
  startSentinels,
  startValkey,
  type RedisServer,
  type SentinelGroup,
} from '../helpers/stores/redis.js';
import { kill, tempFolder } from '../helpers/run/resources.js';
import {
  custom,
  login,
  pairOf,
  refresh,
  startSessionBackend,
  verdictOf,
} from '../helpers/sessions/sessions.js';

const WHICH = process.env.SIGNET_NEMESIS ?? (FULL ? 'all' : undefined);
const WRITES = WHICH === 'write';
const isMeant = ({ name, short }: Fault): boolean => {
  if (WHICH === undefined) return short === true;
  return WHICH === 'all' || WRITES || name.includes(WHICH);
};
const HEALTHY_MS = 2000;
const FAULT_MS = 4000;
/** A second and a round trip; a busy machine takes longer. */
const GRACE_MS = limit(1500, 5000);
const RECOVERY_MS = limit(5000, 20_000);

/** What the gateways of a cell are asked to do with their store. */
interface Setting {
  readonly gateways: GatewayProcess[];
  /** One for each gateway, where there is a network. */
  readonly links: readonly NetworkLink[];
  /** Starts a gateway again that has ended. */
  restart(node: number): Promise<void>;
}

/** What goes on during a fault, for all gateways. */
interface Promised {
  /** Protected routes. Default: all are answered. */
  readonly checks?: 'go on' | 'fail at that gateway';
  /** Refresh and revocation. */
  readonly writes: 'go on' | 'fail' | 'fail at that gateway';
  /** What the manual says. */
  readonly text: string;
  /** The store may lose what it confirmed last: used refresh tokens may be used once more. */
  readonly losesUses?: true;
  /** Sessions that get their tokens while the clock is wrong end when it is right. */
  readonly endsNew?: true;
  /** Which gateways may refuse tokens that are good: their clocks are wrong. */
  readonly refuses?: 'that gateway' | 'all';
}

interface Fault {
  readonly name: string;
  readonly promised: Promised;
  /** Of the short form. */
  readonly short?: true;
  /** The gateway that it is about. */
  readonly node?: number;
  /** Why it cannot be made on this machine. */
  readonly missing?: string | undefined;
  /** For how long, where it is not {@link FAULT_MS}. */
  readonly lastsMs?: number;
  /** Resolves when the store is as it has to be before the fault; the clients begin then. */
  readonly prepare?: (setting: Setting) => Promise<unknown>;
  begin(setting: Setting): Promise<unknown>;
  /** Resolves when the store, or the gateway, is there again. */
  end(setting: Setting): Promise<unknown>;
}

interface Store {
  readonly name: string;
  /** Why there is none on this machine. */
  readonly missing: string | undefined;
  readonly nodes: number;
  open(): Promise<{
    url: string;
    /** For `preload` in a gateway. */
    code?: (node: number) => string;
    port?: number;
    faults: readonly Fault[];
    close(): Promise<unknown>;
  }>;
}

const GO_ON = { writes: 'go on', text: 'everything goes on' } as const;
const HELD = {
  writes: 'fail',
  text: 'protected routes go on; what writes is 503 until it is back',
} as const;
const ONE_NODE = {
  checks: 'fail at that gateway',
  writes: 'fail at that gateway',
  text: 'the others go on',
} as const;

/** Faults of a network, the same for all servers. */
const networkFaults = (prepare: Fault['prepare'] = async () => undefined): Fault[] => [
  {
    name: 'connections cut, new ones refused',
    promised: HELD,
    short: true,
    prepare,
    begin: async ({ links }) => links.forEach((link) => link.cut()),
    end: async ({ links }) => links.forEach((link) => link.mend()),
  },
  {
    name: 'black hole: no answer comes back',
    promised: HELD,
    prepare,
    begin: async ({ links }) => links.forEach((link) => link.loseAnswers()),
    end: async ({ links }) => links.forEach((link) => link.mend()),
  },
  {
    name: '200 ms slower',
    promised: GO_ON,
    prepare,
    begin: async ({ links }) => links.forEach((link) => link.delay(100)),
    end: async ({ links }) => links.forEach((link) => link.delay(0)),
  },
];

const gatewayFaults = (): Fault[] => [
  {
    name: 'a gateway killed (SIGKILL), started again',
    promised: ONE_NODE,
    short: true,
    node: 0,
    begin: ({ gateways }) => kill((gateways[0] as GatewayProcess).process),
    end: (setting) => setting.restart(0),
  },
  {
    name: 'a gateway stopped (SIGSTOP), continued',
    promised: ONE_NODE,
    node: 0,
    begin: async ({ gateways }) => gateways[0]?.process.kill('SIGSTOP'),
    end: async ({ gateways }) => gateways[0]?.process.kill('SIGCONT'),
  },
];

const DAYS_20 = 1_728_000;
const by = (seconds: number): string =>
  `${Math.abs(seconds) === DAYS_20 ? '20 days' : `${Math.abs(seconds)} s`} ${seconds > 0 ? 'ahead' : 'behind'}`;
const REFUSES = 'tokens that have expired, or are not valid yet, by its clock';

/** The wall clock of one gateway is set; that of the store is right. */
const clockFaults = (clock: MachineClock, node: number): Fault[] =>
  [2, -2, 30, -30, DAYS_20, -DAYS_20].map((seconds) => ({
    name: `a clock ${by(seconds)}, and set right`,
    node,
    promised: {
      ...(Math.abs(seconds) <= 2
        ? GO_ON
        : {
            writes: 'go on',
            refuses: 'that gateway',
            text: `sessions go on, and nothing is forgotten; that gateway is not ready, and refuses ${REFUSES}`,
          }),
    } as const,
    begin: async () => clock.set(seconds),
    end: async () => clock.set(0),
  }));
/** A clock for the last of the gateways. */
const clockOf = (last: number): { clock: MachineClock; code: (node: number) => string } => {
  const clock = machineClock();
  return { clock, code: (node) => (node === last ? clock.code : '') };
};

/** As the manual says: a standby that `synchronous_standby_names` names has everything that was confirmed. */
function standbyTakesOver(postgres: PostgresServer, which: string, promised: Promised): Fault {
  let standby: PostgresServer;
  return {
    name: `stalls, and ${which} takes over its name`,
    promised,
    begin: async () => {
      standby = await startStandby(postgres);
      onTestFinished(() => standby.stop());
      const isSynchronous = promised.losesUses !== true;
      if (isSynchronous)
        await postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
      await postgres.sql('SELECT pg_reload_conf()');
      const states = async (): Promise<unknown> =>
        (await postgres.sql('SELECT state, sync_state FROM pg_stat_replication'))[0];
      await expect
        .poll(states)
        .toEqual({ state: 'streaming', sync_state: isSynchronous ? 'sync' : 'async' });
      const stopped = await stopBackends(postgres);
      onTestFinished(() => stopped.resume());
    },
    end: async ({ links }) => {
      await standby.sql('SELECT pg_promote()');
      links.forEach((link) => link.to(standby.port));
    },
  };
}

const fileSize = (bytes: string, { process: { pid } }: GatewayProcess): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

/** Whether the kernel lets us forbid changes of a file, which nothing of SQLite's notices before it writes. */
function withoutImmutable(): string | undefined {
  const file = join(tempFolder('immutable'), 'file');
  writeFileSync(file, '');
  try {
    execFileSync('chattr', ['+i', file], { stdio: 'ignore' });
    execFileSync('chattr', ['-i', file], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'chattr +i takes root, and a file system that has it';
  }
}

/** Nothing of it can be written, made or deleted; what is shared memory of its users stays so. */
const immutable = (file: string, isOn: boolean): void =>
  void execFileSync('chattr', [
    isOn ? '+i' : '-i',
    ...[file, `${file}-wal`].filter((path) => existsSync(path)),
    dirname(file),
  ]);

/** Longer than what is kept for a clock that may be set right. */
const UP_SECONDS = 15 * 60;
/** What has expired is deleted every 10 s. */
const PURGED_MS = 12_000;

/** One server, and another that can take over. */
const redisStore = (
  program: string,
  start: typeof startRedis,
  missing: string | undefined,
): Store => ({
  name: `${program}, 2 gateways`,
  missing,
  nodes: 2,
  open: async () => {
    const redis = await start('--appendonly', 'yes', '--appendfsync', 'always');
    const heir = await start();
    const { clock, code } = clockOf(1);
    return {
      url: redis.url,
      code,
      port: redis.port,
      close: () => Promise.all([redis.stop(), heir.stop()]),
      faults: [
        {
          name: 'killed, started with its data',
          promised: HELD,
          short: true,
          begin: () => redis.kill(),
          end: () => redis.start(),
        },
        {
          name: 'stalls (SIGSTOP)',
          promised: HELD,
          short: true,
          begin: async () => redis.process().kill('SIGSTOP'),
          end: async () => redis.process().kill('SIGCONT'),
        },
        ...networkFaults(),
        {
          name: 'full (maxmemory, noeviction)',
          promised: HELD,
          begin: () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
          end: () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
        },
        {
          name: 'made a replica, and a primary again',
          promised: HELD,
          begin: () =>
            redis.command('REPLICAOF', '127.0.0.1', String(heir.port)).then(() => undefined),
          end: () => redis.command('REPLICAOF', 'NO', 'ONE'),
        },
        ...clockFaults(clock, 1),
        {
          name: 'stalls, and another takes over its name',
          promised: { ...HELD, losesUses: true },
          begin: async () => {
            await heir.command('REPLICAOF', '127.0.0.1', String(redis.port));
            await expect
              .poll(async () => String(await heir.command('INFO', 'replication')))
              .toContain('master_link_status:up');
            await redis.command('WAIT', '1', '2000');
            redis.process().kill('SIGSTOP');
          },
          end: async ({ links }) => {
            await heir.command('REPLICAOF', 'NO', 'ONE');
            links.forEach((link) => link.to(heir.port));
          },
        },
      ],
    };
  },
});

/** As the manual says: what the primary of before confirmed last, no replica may have. */
const FAILED_OVER = { ...HELD, losesUses: true } as const;

const deadAfter = (group: SentinelGroup, ms: number): Promise<void> =>
  group.tell('SENTINEL', 'SET', SENTINEL_SERVICE, 'down-after-milliseconds', String(ms));
const watched = async (group: SentinelGroup): Promise<void> => {
  await deadAfter(group, 1000);
  await group.whole();
};

/** @param then when a replica is promoted, and the primary of before is back */
function failOver(
  group: SentinelGroup,
  signal: 'SIGKILL' | 'SIGSTOP',
  name: string,
  then: Fault['end'] = async () => undefined,
): Fault {
  let before: RedisServer | undefined;
  return {
    name,
    promised: FAILED_OVER,
    prepare: () => watched(group),
    begin: async () => {
      before = await group.primary();
      before?.process().kill(signal);
    },
    end: async (setting) => {
      await promoted(group, before);
      if (signal === 'SIGSTOP') before?.process().kill('SIGCONT');
      else await before?.start();
      await then(setting);
    },
  };
}

async function promoted(group: SentinelGroup, before: RedisServer | undefined): Promise<void> {
  await expect
    .poll(async () => (await group.primary())?.port, { timeout: 30_000, interval: 20 })
    .not.toBe(before?.port);
}

function sentinelFaults(group: SentinelGroup): Fault[] {
  let before: RedisServer | undefined;
  return [
    failOver(group, 'SIGKILL', 'primary killed, a replica promoted'),
    failOver(group, 'SIGSTOP', 'primary stalls, a replica promoted'),
    {
      name: 'primary stalls (SIGSTOP), and goes on as one',
      promised: HELD,
      prepare: () => watched(group),
      begin: async () => {
        await deadAfter(group, 60_000);
        before = await group.primary();
        before?.process().kill('SIGSTOP');
      },
      end: async () => before?.process().kill('SIGCONT'),
    },
    {
      name: 'primary demoted, a replica promoted (SENTINEL FAILOVER)',
      promised: FAILED_OVER,
      prepare: () => watched(group),
      begin: async () => {
        before = await group.primary();
        // One that was not long ago has to be over.
        await expect.poll(() => group.failOver().catch(String), { timeout: 30_000 }).toBe('OK');
      },
      end: () => promoted(group, before),
    },
  ];
}

const STORES: readonly Store[] = [
  {
    name: 'SQLite, 3 gateways',
    missing: process.platform === 'linux' ? undefined : 'the limits of Linux are missing',
    nodes: 3,
    open: async () => {
      const clock = machineClock();
      const one = clockOf(2);
      const file = join(tempFolder('state'), 'signet.db');
      const jumps = (
        seconds: number,
        whose: string,
        clockThat: MachineClock,
        promised: Promised,
        node?: number,
      ): Fault => ({
        name: `the clock of ${whose} jumps ${by(seconds)}, and is set right`,
        promised,
        ...(node === undefined ? {} : { node }),
        lastsMs: PURGED_MS,
        // Only what has run for a while forgets.
        prepare: async () => clock.pass(UP_SECONDS),
        begin: async () => clockThat.set(seconds),
        end: async () => clockThat.set(0),
      });
      return {
        url: `sqlite:${file}`,
        code: (node) => clock.code + one.code(node),
        close: async () => undefined,
        faults: [
          ...gatewayFaults(),
          {
            name: 'disk full',
            promised: HELD,
            begin: async ({ gateways }) => gateways.forEach((gateway) => fileSize('1', gateway)),
            end: async ({ gateways }) =>
              gateways.forEach((gateway) => fileSize('unlimited', gateway)),
          },
          {
            name: 'file and folder can only be read (chattr +i)',
            promised: HELD,
            missing: withoutImmutable(),
            begin: async () => {
              onTestFinished(() => immutable(file, false));
              immutable(file, true);
            },
            end: async () => immutable(file, false),
          },
          ...[2, -2, 30, -30].map((seconds): Fault => ({
            name: `the clock of the machine ${by(seconds)}, and set right`,
            promised: GO_ON,
            begin: async () => clock.set(seconds),
            end: async () => clock.set(0),
          })),
          ...[DAYS_20, -DAYS_20].flatMap((seconds) => [
            jumps(seconds, 'the machine', clock, {
              writes: 'go on',
              refuses: 'all',
              endsNew: true,
              text: 'nothing is forgotten, and sessions of before go on afterwards; until then their tokens are refused, and then those that were issued meanwhile',
            }),
            jumps(
              seconds,
              'one gateway',
              one.clock,
              {
                writes: 'go on',
                refuses: 'that gateway',
                endsNew: true,
                text: `sessions go on, and nothing is forgotten; that gateway refuses ${REFUSES}, and others refuse what it issues`,
              },
              2,
            ),
          ]),
        ],
      };
    },
  },
  redisStore('Redis', startRedis, withoutRedis ? REDIS_MISSING : undefined),
  redisStore('Valkey', startValkey, withoutValkey ? VALKEY_MISSING : undefined),
  {
    name: 'PostgreSQL with a standby, 2 gateways',
    missing: withoutPostgres ? POSTGRES_MISSING : undefined,
    nodes: 2,
    open: async () => {
      const postgres = await startPostgres('fsync=on');
      const { clock, code } = clockOf(1);
      let stopped: { resume(): void } | undefined;
      const readOnly = async (on: boolean): Promise<void> => {
        const client = new Client({
          connectionString: postgres.url,
          options: '-c default_transaction_read_only=off',
        });
        await client.connect();
        await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${on ? 'on' : 'off'}`);
        await client.query('SELECT pg_reload_conf()');
        await client.end();
      };
      return {
        url: postgres.url,
        code,
        port: postgres.port,
        close: async () => {
          stopped?.resume();
          await postgres.kill();
        },
        faults: [
          {
            name: 'killed, started again',
            promised: HELD,
            short: true,
            begin: () => postgres.kill(),
            end: () => postgres.start(),
          },
          {
            name: 'stalls (SIGSTOP)',
            promised: HELD,
            begin: async () => (stopped = await stopBackends(postgres)),
            end: async () => {
              stopped?.resume();
              stopped = undefined;
            },
          },
          ...networkFaults(),
          {
            name: 'takes no writes (default_transaction_read_only)',
            promised: HELD,
            begin: () => readOnly(true),
            end: () => readOnly(false),
          },
          ...clockFaults(clock, 1),
          standbyTakesOver(postgres, 'its standby', { ...HELD, losesUses: true }),
        ],
      };
    },
  },
  {
    name: 'PostgreSQL with a synchronous standby, 2 gateways',
    missing: withoutPostgres ? POSTGRES_MISSING : undefined,
    nodes: 2,
    open: async () => {
      const postgres = await startPostgres('fsync=on');
      return {
        url: postgres.url,
        port: postgres.port,
        close: () => postgres.kill(),
        faults: [standbyTakesOver(postgres, 'its synchronous standby', HELD)],
      };
    },
  },
  {
    name: 'Redis behind Sentinel, 2 gateways',
    missing: withoutRedis ? REDIS_MISSING : undefined,
    nodes: 2,
    open: async () => {
      const group = await startSentinels();
      return { url: group.url, close: () => group.stop(), faults: sentinelFaults(group) };
    },
  },
  {
    name: 'Redis behind Sentinel and HAProxy, 2 gateways',
    missing: withoutRedis ? REDIS_MISSING : withoutHaproxy ? HAPROXY_MISSING : undefined,
    nodes: 2,
    open: async () => {
      const group = await startSentinels({ options: ['--min-replicas-to-write', '1'] });
      const balancer = await startRedisBalancer(group.servers.map(({ port }) => port));
      const cut: Fault['end'] = async ({ links }) => {
        for (const link of links) {
          link.cut();
          link.mend();
        }
      };
      return {
        url: `redis://127.0.0.1:${balancer.port}`,
        port: balancer.port,
        close: () => Promise.all([balancer.stop(), group.stop()]),
        faults: [
          ...sentinelFaults(group),
          // Now it calls itself the primary, too.
          failOver(
            group,
            'SIGKILL',
            'primary killed, a replica promoted; all connect anew when it is back',
            cut,
          ),
          failOver(
            group,
            'SIGSTOP',
            'primary stalls, a replica promoted; all connect anew when it goes on',
            cut,
          ),
          ...networkFaults(() => watched(group)),
        ],
      };
    },
  },
  {
    name: 'Redis Cluster of 3, 2 gateways',
    missing: withoutRedis ? REDIS_MISSING : undefined,
    nodes: 2,
    open: async () => {
      const cluster = await startCluster();
      const servers = [...cluster.primaries, ...cluster.replicas];
      /** The primary of the slot that the state is in, among those that answer. */
      const holder = async (among: readonly RedisServer[]): Promise<RedisServer | undefined> => {
        for (const server of among)
          if ((await server.command('GET', 'signet:{state}:schema').catch(() => 'no')) !== 'no')
            return server;
        return undefined;
      };
      const replicated = async (): Promise<void> => {
        await expect
          .poll(async () => String(await (await holder(servers))?.command('INFO', 'replication')), {
            timeout: 30_000,
          })
          .toMatch(/role:master[^]*state=online/);
      };
      let before: RedisServer | undefined;
      const takenOver = async (): Promise<void> => {
        await expect
          .poll(() => holder(servers.filter((server) => server !== before)), {
            timeout: 30_000,
            interval: 50,
          })
          .toBeDefined();
      };
      const failsOver = (name: string, signal: 'SIGKILL' | 'SIGSTOP'): Fault => ({
        name,
        promised: FAILED_OVER,
        prepare: replicated,
        begin: async () => {
          before = await holder(servers);
          before?.process().kill(signal);
        },
        end: async () => {
          await takenOver();
          if (signal === 'SIGSTOP') before?.process().kill('SIGCONT');
          else await before?.start();
        },
      });
      return {
        url: cluster.url,
        close: () => cluster.stop(),
        faults: [
          failsOver('the node of the state killed, its replica takes over', 'SIGKILL'),
          failsOver('the node of the state stalls, its replica takes over', 'SIGSTOP'),
          {
            name: 'the node of the state demoted, its replica takes over (CLUSTER FAILOVER)',
            promised: HELD,
            prepare: replicated,
            begin: async () => {
              before = await holder(servers);
              // master, offset, and of each replica: host, port, offset
              const role = (await before?.command('ROLE')) as
                [string, number, string[][]] | undefined;
              await redisCommand(Number(role?.[2][0]?.[1]), 'CLUSTER', 'FAILOVER');
            },
            end: takenOver,
          },
        ],
      };
    },
  },
];

/** A row of the table of the manual. */
const rows: string[] = [];
const row = (store: Store, { name, promised }: Fault, observed: string): string =>
  `| ${store.name} | ${name} | ${promised.text} | ${observed} |`;
const seconds = (ms: number): string => (ms / 1000).toFixed(1);

for (const store of STORES)
  describe('the promises', () => {
    it(`of ${store.name} are kept`, async ({ skip }) => {
      if (store.missing !== undefined) {
        rows.push(`| ${store.name} | | | left out: ${store.missing} |`);
        skip(store.missing);
      }
      const { setting, faults } = await setUp(store);
      const broken: string[] = [];
      for (const fault of faults.filter(isMeant)) {
        if (fault.missing !== undefined) {
          rows.push(row(store, fault, `left out: ${fault.missing}`));
          process.stderr.write(`left out: ${store.name}: ${fault.name}: ${fault.missing}\n`);
          continue;
        }
        const found = await cell(store, fault, setting);
        broken.push(...found.map((what) => `${fault.name}: ${what}`));
      }
      expect(broken).toEqual([]);
    }, 900_000);
  });

/** Starts the store and its gateways, for one test. */
async function setUp(store: Store): Promise<{ setting: Setting; faults: readonly Fault[] }> {
  const backend = await startSessionBackend();
  onTestFinished(() => backend.stop());
  const keys = writeKeys([await generateJwk('HS256', 'sim2')]);
  const opened = await store.open();
  onTestFinished(async () => void (await opened.close()));
  const { url, port, faults, code = () => '' } = opened;
  const links: NetworkLink[] = [];
  const ports: number[] = [];
  const gateways: GatewayProcess[] = [];
  onTestFinished(async () => void (await Promise.all(gateways.map((gateway) => gateway.stop()))));
  const start = (node: number): Promise<GatewayProcess> =>
    startGateway(
      {
        PORT: String(ports[node]),
        BACKEND_HOST: backend.url,
        SIGNER_JWK_LOCAL_PATH: keys,
        REFRESH_BACKEND_PATH: '/refresh.json',
        // It has to be written to, too.
        NODE_COMPILE_CACHE: '',
        STATE_STORE: port === undefined ? url : url.replace(`:${port}`, `:${links[node]?.port}`),
        NODE_OPTIONS: preload(code(node)),
      },
      tempFolder('cwd'),
      // What would end a process at its limit of file sizes fails, as on a full disk.
      ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'],
    );
  for (let node = 0; node < store.nodes; node++) {
    ports.push(await freePort());
    if (port !== undefined) links.push(await openLink(port));
    gateways.push(await start(node));
  }
  const restart = async (node: number): Promise<void> => void (gateways[node] = await start(node));
  return { setting: { gateways, links, restart }, faults };
}

/** Resolves when the store is as it has to be, and each gateway refreshes. */
async function prepared({ prepare }: Fault, setting: Setting): Promise<void> {
  if (prepare === undefined) return;
  await prepare(setting);
  for (const { url } of setting.gateways)
    await expect
      .poll(async () => verdictOf(await refresh(url, (await login(url)).refresh)))
      .toBe('200');
}

/** One fault. @returns the promises that were not kept */
async function cell(store: Store, fault: Fault, setting: Setting): Promise<string[]> {
  const { promised, node: faulty } = fault;
  const urls = (): string[] => setting.gateways.map(({ url }) => url);
  const history = new History(
    urls,
    (node) => promised.refuses === 'all' || (promised.refuses !== undefined && node === faulty),
  );
  await prepared(fault, setting);
  await history.begin();
  await sleep(HEALTHY_MS);
  const from = performance.now();
  await fault.begin(setting);
  await sleep(fault.lastsMs ?? FAULT_MS);
  await fault.end(setting);
  const backAt = performance.now();
  // Until each gateway refreshes again.
  const works = async (node: number): Promise<boolean> => {
    const pair = await history.login(node);
    return pair !== undefined && (await history.refresh(node, pair.refresh))?.status === 200;
  };
  for (const node of urls().keys())
    while (!(await works(node)) && performance.now() - backAt < 30_000) await sleep(50);
  const to = performance.now();
  await sleep(HEALTHY_MS);
  await history.end();
  const { steps } = history;

  const problems: string[] = [];
  const note = (count: number, what: string): void => {
    if (count > 0) problems.push(`${count} ${what}`);
  };
  const good =
    steps.find(({ what, verdict }) => what === 'check' && verdict === '200')?.token ?? '';
  const failed = (what: Step['what'], only: (step: Step) => boolean): Step[] =>
    steps.filter((step) => step.what === what && isFailure(step) && only(step));
  const elsewhere = ({ node }: Step): boolean => faulty === undefined || node !== faulty;
  const isDuring = ({ began, ended }: Step): boolean => ended > from && began < to;

  // Without the fault nothing fails.
  for (const what of ['login', 'check', 'refresh', 'revoke'] as const)
    note(failed(what, (step) => !isDuring(step)).length, `times ${what} failed without the fault`);
  const checks = failed('check', (step) => isDuring(step) && step.token === good);
  const writes = [...failed('refresh', isDuring), ...failed('revoke', isDuring)];
  if (promised.checks !== 'fail at that gateway') note(checks.length, 'protected requests failed');
  else note(checks.filter(elsewhere).length, 'protected requests failed at other gateways');
  if (promised.writes === 'go on')
    note(writes.filter(elsewhere).length, 'refreshes or revocations failed');
  if (promised.writes === 'fail at that gateway')
    note(writes.filter(elsewhere).length, 'refreshes or revocations failed at other gateways');
  note(twoWinners(steps).length, 'refresh tokens with two winners');
  note(history.lost.length, `sessions lost (${[...new Set(history.lost)].join(', ')})`);
  note(acceptedLate(steps, GRACE_MS, { from, to }).length, 'revoked tokens accepted too late');
  const recovery = to - backAt;
  if (recovery > RECOVERY_MS)
    problems.push(`${seconds(recovery)} s until all of them refreshed again`);

  // What was confirmed is still known, to all of them.
  await sleep(GRACE_MS);
  const known = confirmedRevoked(steps).slice(-40);
  const accepted = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const token of known)
      for (const url of urls()) if ((await custom(url, token)) === '200') found.push(token);
    return found;
  };
  // What a store lost, gateways give back.
  let forgotten = (await accepted()).length;
  for (const until = performance.now() + RECOVERY_MS; forgotten > 0 && performance.now() < until;)
    forgotten = (await accepted()).length;
  note(forgotten, 'revocations lost');
  for (const token of history.alive.values()) {
    if (promised.endsNew === true && isOfWrongClock(token)) continue;
    const answer = await refresh(urls()[0] as string, token);
    // Nobody knows whether the last use was answered: then it is one more of the same.
    if (answer.status === 200) void pairOf(answer);
    else problems.push(`a session does not go on: ${verdictOf(answer)}`);
  }
  let reused = 0;
  for (const token of superseded(steps).slice(-20))
    if ((await refresh(urls()[0] as string, token)).status === 200) reused++;
  if (promised.losesUses !== true) note(reused, 'used refresh tokens were taken again');

  const count = (list: readonly Step[], all: Step['what']): string => {
    const sum = steps.filter((step) => step.what === all && isDuring(step)).length;
    return `${list.length} of ${sum}`;
  };
  const observed = [
    `protected requests failed: ${count(checks, 'check')}`,
    `refreshes failed: ${count(failed('refresh', isDuring), 'refresh')}`,
    `again after ${seconds(recovery)} s`,
    `${confirmedRevoked(steps).length} revocations, ${forgotten} lost`,
    ...(promised.losesUses === true ? [`${reused} used tokens taken again`] : []),
  ].join('; ');
  figure(
    `${store.name}: ${fault.name}: ${observed}${problems.length > 0 ? ` BROKEN: ${problems.join(', ')}` : ''}`,
  );
  if (problems.length > 0) {
    const verdicts = new Map<string, number>();
    for (const step of steps) {
      const key = `${step.what} at ${step.node} ${isDuring(step) ? 'during' : 'outside'}: ${step.verdict}`;
      verdicts.set(key, (verdicts.get(key) ?? 0) + 1);
    }
    process.stderr.write(
      `${fault.name}\n${JSON.stringify(Object.fromEntries(verdicts), null, 1)}\n`,
    );
    const reasons = setting.gateways.flatMap((one, node) =>
      one
        .log()
        .flatMap(({ time, status, code, reason, level, msg }) =>
          Number(status) >= 400 || Number(level) >= 40
            ? [
                `${node} ${String(time)} ${String(status)} ${String(code)} ${String(reason)} ${String(msg)}`,
              ]
            : [],
        ),
    );
    process.stderr.write(`${reasons.slice(-300).join('\n')}\n`);
  }
  rows.push(row(store, fault, observed));
  return problems;
}

const isOfWrongClock = (token: string): boolean =>
  Math.abs(Number(decodeJwt(token).iat) - Date.now() / 1000) > DAYS_20 / 2;

/** No answer, or one of 5xx. */
const isFailure = ({ verdict }: Step): boolean => /^(?:5|no answer)/.test(verdict);

const BEGIN = '<!-- faults: written by test/faults/nemesis.e2e-spec.ts -->';
const END = '<!-- faults: end -->';

afterAll(() => {
  if (!WRITES) return;
  const file = 'docs/production.md';
  const text = readFileSync(file, 'utf8');
  const [head, rest = ''] = text.split(BEGIN, 2);
  const tail = rest.slice(rest.indexOf(END));
  const date = new Date().toISOString().slice(0, 10);
  // Stores that were not run this time keep what was observed today.
  const isOf = (line: string, { name }: Store): boolean => line.startsWith(`| ${name} `);
  const known = rest.includes(`\n${date}, `) ? rest.split('\n') : [];
  const lines = STORES.flatMap((store) => {
    const observed = rows.filter((line) => isOf(line, store));
    return observed.length > 0 ? observed : known.filter((line) => isOf(line, store));
  });
  const table = [
    '| store | fault | promised | observed |',
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
  writeFileSync(
    file,
    `${head}${BEGIN}\n\n${date}, each fault for ${FAULT_MS / 1000} s (jumps of the clock by days: ${PURGED_MS / 1000} s), on a machine that did other things, too:\n\n${table}\n\n${tail}`,
  );
});
