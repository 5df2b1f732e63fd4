import { measure, measureAmount, type Extent, type Load, type Measurement } from './measure.js';
import { forged, startSetup, type Other, type Setup, type SetupOptions } from './setup.js';

/** How long and how often. */
export interface Effort {
  rounds: number;
  extent: Extent;
  /** For the case that is about memory. */
  requests: number;
}

/** A group of measurements that share their servers. */
export interface Case {
  name: string;
  readonly run: (effort: Effort) => Promise<{ suffix: string; measurements: Measurement[] }[]>;
}

const TOKEN: Load = { method: 'POST', path: '/token', status: 200 };
const custom = (tokens: readonly string[] | undefined, status = 200): Load => ({
  method: 'GET',
  path: '/private/custom',
  tokens,
  status,
});

/** A group of loads on one setup; `others` compete in the loads they can serve. */
function group(
  name: string,
  options: SetupOptions,
  loads: (setup: Setup) => Promise<[suffix: string, load: Load, ...others: Other[]][]>,
): Case {
  return {
    name,
    run: async ({ rounds, extent }) => {
      const setup = await startSetup(options);
      try {
        const results = [];
        const started = new Map<string, Awaited<ReturnType<Setup['other']>>>();
        for (const [suffix, load, ...others] of await loads(setup)) {
          for (const other of others)
            if (!started.has(other)) started.set(other, await setup.other(other));
          const contestants = [
            setup.floor,
            setup.signet,
            ...(setup.before === undefined ? [] : [setup.before]),
            ...others.flatMap((other) => started.get(other) ?? []),
          ];
          results.push({
            suffix,
            measurements: await measure(contestants, load, rounds, extent),
          });
        }
        return results;
      } finally {
        await setup.stop();
      }
    },
  };
}

/** The peak of memory after a tenth of all requests, and after all of them: it has to be the same. */
const memory: Case = {
  name: 'HS256, memory',
  run: async ({ requests }) => {
    const setup = await startSetup({ alg: 'HS256' });
    try {
      const loads = [TOKEN, custom(await setup.tokens(1))];
      const measurements = [];
      for (const share of [0.1, 0.9]) {
        const amount = (requests * share) / loads.length;
        for (const load of loads)
          measurements.push(await measureAmount(setup.signet, load, amount));
      }
      return [{ suffix: ` after ${requests / 10} and ${requests}`, measurements }];
    } finally {
      await setup.stop();
    }
  },
};

/** What a process that was just started costs, and the same one when it is warm. */
const coldAndWarm: Case = {
  name: 'HS256, cold and warm',
  run: async ({ requests }) => {
    const setup = await startSetup({ alg: 'HS256' });
    try {
      const contestants = [setup.floor, setup.signet, ...(setup.before ? [setup.before] : [])];
      const results = [];
      for (const load of [TOKEN, custom(await setup.tokens(1))])
        for (const [state, warmUp] of [
          ['cold', 0],
          ['warm', requests / 20],
        ] as const) {
          const measurements = [];
          for (const contestant of contestants) {
            if (warmUp > 0) await measureAmount(contestant, load, warmUp);
            measurements.push(await measureAmount(contestant, load, COLD_REQUESTS));
          }
          results.push({ suffix: `: ${load.method} ${load.path}, ${state}`, measurements });
        }
      return results;
    } finally {
      await setup.stop();
    }
  },
};

/** As many as are measured of a cold process: after them it is warm. */
const COLD_REQUESTS = 1000;

const asymmetric = (alg: string): Case =>
  group(alg, { alg }, async ({ tokens }) => [
    [' POST /token', TOKEN, 'obvious'],
    [' GET /private/custom, one token', custom(await tokens(1)), 'obvious'],
    [' GET /private/custom, 10,000 tokens', custom(await tokens(10_000))],
  ]);

export const cases: readonly Case[] = [
  group('HS256', { alg: 'HS256' }, async ({ tokens }) => {
    const [token = ''] = await tokens(1);
    return [
      [' POST /token', TOKEN, 'obvious', 'fastify-jwt'],
      [' GET /private/custom, one token', custom([token]), 'obvious', 'nestjs-jwt', 'fastify-jwt'],
      [' GET /private/custom, 10,000 tokens', custom(await tokens(10_000))],
      [' 401 without token', custom(undefined, 401), 'obvious', 'nestjs-jwt', 'fastify-jwt'],
      [' 401 forged token', custom([forged(token)], 401), 'obvious', 'nestjs-jwt', 'fastify-jwt'],
      [' 403', custom(await tokens(1, { roles: ['role_y'] }), 403), 'obvious'],
    ];
  }),
  asymmetric('RS256'),
  asymmetric('ES256'),
  asymmetric('EdDSA'),
  group('HS256, 1,000 kids', { alg: 'HS256', keys: 1000 }, async ({ tokens }) => [
    [' POST /token', TOKEN],
    [' GET /private/custom', custom(await tokens(1))],
  ]),
  group(
    'HS256, 100 kB',
    { alg: 'HS256', env: { PRIVATE_BACKEND_PATH: '/user/big.json' } },
    async ({ tokens }) => [[' GET /private/custom', custom(await tokens(1))]],
  ),
  ...['64', '8k'].map((size) =>
    group(
      `HS256, claims of ${size} bytes`,
      { alg: 'HS256', env: { TOKEN_BACKEND_PATH: `/claims-${size}.json` } },
      async ({ tokens }) => [
        [' POST /token', TOKEN],
        [
          ' GET /private/custom',
          custom(await tokens(1, size === '8k' ? { note: 'x'.repeat(8000) } : {})),
        ],
      ],
    ),
  ),
  group('HS256, connections', { alg: 'HS256' }, async ({ tokens }) => {
    const get = custom(await tokens(1));
    return [1, 256].flatMap((connections): [string, Load][] => [
      [`: ${connections}, POST /token`, { ...TOKEN, connections }],
      [`: ${connections}, GET /private/custom`, { ...get, connections }],
    ]);
  }),
  coldAndWarm,
  group('HS256, 2 workers', { alg: 'HS256' }, async ({ tokens }) => [
    [' POST /token', TOKEN, 'workers'],
    [' GET /private/custom', custom(await tokens(1)), 'workers'],
  ]),
  ...['HS256', 'ES256'].map((alg) =>
    group(`${alg}, issuers`, { alg }, async ({ tokens }) => [
      [' GET /private/custom, one token', custom(await tokens(1)), 'issuers'],
      [' GET /private/custom, 10,000 tokens', custom(await tokens(10_000)), 'issuers'],
    ]),
  ),
  group('ES256, hop token', { alg: 'ES256' }, async ({ tokens }) => [
    [' GET /private/custom, one token', custom(await tokens(1)), 'hop'],
    [' GET /private/custom, 10,000 tokens', custom(await tokens(10_000)), 'hop'],
  ]),
  memory,
  group('HS256, revocations', { alg: 'HS256' }, async ({ tokens }) => [
    [' GET /private/custom', custom(await tokens(1)), 'revocations'],
  ]),
];
