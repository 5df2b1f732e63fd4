import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exportJWK, generateKeyPair, generateSecret, SignJWT, importJWK, type JWK } from 'jose';
import { Contestant } from './contestant.js';
import { fillDatabase, REVOCATIONS } from './fill-database.js';

/** The servers of one group of cases, all with the same key and backend. */
export interface Setup {
  backend: Contestant;
  floor: Contestant;
  signet: Contestant;
  /** The gateway of another folder (`--against=<folder>`), e.g. of an older version. */
  before: Contestant | undefined;
  /** Any of the others, started only when a case asks for it. */
  readonly other: (name: Other) => Promise<Contestant>;
  /** Tokens that differ in their jti. */
  readonly tokens: (count: number, claims?: object) => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

/**
 * Contestants beside the floor and the gateway; `revocations` is the gateway with a million of them,
 * `workers` the one with two processes, `issuers` the one that takes tokens of a hundred issuers, `hop` the one whose
 * backend calls carry a token of their own.
 */
export type Other =
  'obvious' | 'nestjs-jwt' | 'fastify-jwt' | 'revocations' | 'workers' | 'issuers' | 'hop';

/** Issuers of the contestant `issuers`, our own included. */
const ISSUERS = 100;

/** How a group differs from the usual one. */
export interface SetupOptions {
  alg: string;
  /** Keys in the file; the first one signs. */
  keys?: number;
  env?: Record<string, string>;
}

export const CLAIMS = {
  aud: 'http://api.example.com',
  iss: 'https://krakend.io',
  sub: '1234567890qwertyuio',
  roles: ['role_a', 'role_b'],
  exp: 2_051_882_755,
};

const AGAINST = process.argv.find((argument) => argument.startsWith('--against='))?.slice(10);

const script = (name: string): string => resolve('bench', 'dist', `${name}.js`);

export async function startSetup({ alg, keys = 1, env: extra = {} }: SetupOptions): Promise<Setup> {
  const directory = mkdtempSync(join(tmpdir(), 'signet-bench-'));
  const path = join(directory, 'keys.json');
  const set = await Promise.all(Array.from({ length: keys }, (_, i) => makeKey(alg, `k${i}`)));
  writeFileSync(path, JSON.stringify({ keys: set }), { mode: 0o600 });
  const backend = await Contestant.start('backend', script('backend'));
  const env = {
    BACKEND_HOST: backend.url,
    SIGNER_ALG: alg,
    SIGNER_KID: 'k0',
    SIGNER_JWK_LOCAL_PATH: path,
    SIGNER_ISSUER: CLAIMS.iss,
    VALIDATOR_ISSUER: CLAIMS.iss,
    VALIDATOR_AUDIENCE: CLAIMS.aud,
    ...extra,
  };
  const floor = await Contestant.start('floor', script('floor'), env);
  const npmStart = readNpmStart();
  const startSignet = (
    name: string,
    database: string,
    workers = 1,
    folder = '.',
    more: Record<string, string> = {},
  ): Promise<Contestant> =>
    Contestant.start(
      name,
      resolve(folder, 'dist', 'main.js'),
      {
        MANAGEMENT_PORT: 'off',
        ...env,
        PORT: '0',
        HOST: '127.0.0.1',
        WORKERS: String(workers),
        THROTTLE_LIMIT: '0',
        STATE_STORE: `sqlite:${database}`,
        ...npmStart.env,
        ...more,
      },
      npmStart.options,
    );
  const signet = await startSignet('signet', join(directory, 'signet.db'));
  const before =
    AGAINST === undefined
      ? undefined
      : await startSignet('signet before', join(directory, 'before.db'), 1, AGAINST);
  const others: Contestant[] = before === undefined ? [] : [before];
  const start = async (name: Other): Promise<Contestant> => {
    if (name === 'workers') return startSignet('signet, 2', join(directory, 'workers.db'), 2);
    if (name === 'hop')
      return startSignet('signet, hop token', join(directory, 'hop.db'), 1, '.', {
        BACKEND_TOKEN: 'on',
      });
    if (name === 'issuers') {
      const foreign = Array.from({ length: ISSUERS - 1 }, (_, i) => `${backend.url}/issuer/${i}`);
      return startSignet(`signet, ${ISSUERS} issuers`, join(directory, 'issuers.db'), 1, '.', {
        SIGNER_ISSUER: CLAIMS.iss,
        VALIDATOR_ISSUER: [CLAIMS.iss, ...foreign].join(),
        JWK_HTTP_HOSTS: new URL(backend.url).hostname,
      });
    }
    if (name !== 'revocations') return Contestant.start(name, script(name), env);
    const database = await fillDatabase(join(directory, 'full.db'));
    return startSignet(`signet, ${REVOCATIONS}`, database);
  };
  return {
    backend,
    floor,
    signet,
    before,
    other: async (name) => {
      const contestant = await start(name);
      others.push(contestant);
      return contestant;
    },
    tokens: (count, claims = {}) => makeTokens(set[0] as JWK, alg, count, claims),
    stop: async () => {
      for (const server of [signet, floor, ...others, backend]) await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What `npm start` passes to Node and to malloc. */
export function readNpmStart(): { options: string[]; env: Record<string, string> } {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: { start: string };
  };
  const variables = scripts.start.matchAll(/\b([A-Z_]+)=(\S+)/g);
  return {
    options: scripts.start.match(/--\S+/g) ?? [],
    env: Object.fromEntries(Array.from(variables, ([, name = '', value = '']) => [name, value])),
  };
}

async function makeKey(alg: string, kid: string): Promise<JWK> {
  const key = alg.startsWith('HS')
    ? await generateSecret(alg, { extractable: true })
    : (await generateKeyPair(alg, { extractable: true })).privateKey;
  return { ...(await exportJWK(key)), kid, alg };
}

async function makeTokens(jwk: JWK, alg: string, count: number, claims: object): Promise<string[]> {
  const key = await importJWK(jwk, alg);
  const tokens: string[] = [];
  for (let i = 0; i < count; i++)
    tokens.push(
      await new SignJWT({ ...CLAIMS, ...claims, jti: randomUUID() })
        .setProtectedHeader({ alg, kid: jwk.kid, typ: 'JWT' })
        .sign(key),
    );
  return tokens;
}

/** A token with a right header and a signature of somebody else's key. */
export function forged(token: string): string {
  const input = token.slice(0, token.lastIndexOf('.'));
  return `${input}.${createHmac('sha256', randomUUID()).update(input).digest('base64url')}`;
}
