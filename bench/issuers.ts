// What the choice of the issuer costs: a gateway with one issuer and one with a hundred in the same process, so that
// both run the same compiled code, in pairs of short slices. Two processes of one build differ by more than what is
// looked for here.
//
//   npm run bench:issuers [-- --pairs=200]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { exportJWK, generateSecret, SignJWT } from 'jose';
import { Contestant } from './contestant.js';
import { CLAIMS, readNpmStart } from './setup.js';

const COUNTS = [1, 100];
const REQUESTS = 1500;
const WARM_UP = 8;

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '200' } } });
const directory = mkdtempSync(join(tmpdir(), 'signet-bench-'));
const secret = await generateSecret('HS256', { extractable: true });
const keys = join(directory, 'keys.json');
const jwk = { ...(await exportJWK(secret)), kid: 'k0', alg: 'HS256' };
writeFileSync(keys, JSON.stringify({ keys: [jwk] }), { mode: 0o600 });
const header = { alg: 'HS256', kid: 'k0', typ: 'JWT' };
const token = await new SignJWT(CLAIMS)
  .setProtectedHeader(header)
  .setIssuedAt()
  .setJti('1')
  .sign(secret);

const backend = await Contestant.start('backend', resolve('bench', 'dist', 'backend.js'));
const npmStart = readNpmStart();
const gateways = fork(resolve('bench', 'dist', 'gateways.js'), {
  env: { PATH: process.env.PATH, ...npmStart.env },
  // Log lines are part of what a request costs, and of no interest.
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  execArgv: npmStart.options,
});
try {
  const urls = await ask<string[]>(gateways, COUNTS.map(environment));
  for (let round = 0; round < WARM_UP; round++) for (const url of urls) await costOf(url);
  const pairs: number[][] = [];
  for (let round = 0; round < Number(values.pairs); round++) {
    const pair: number[] = [];
    // Each is first as often as the other.
    for (const index of round % 2 === 0 ? [0, 1] : [1, 0])
      pair[index] = await costOf(urls[index] ?? '');
    pairs.push(pair);
  }
  report(pairs);
} finally {
  gateways.kill('SIGKILL');
  await once(gateways, 'exit');
  await backend.stop();
  rmSync(directory, { recursive: true });
}

function environment(count: number): Record<string, string> {
  const others = Array.from({ length: count - 1 }, (_, i) => `${backend.url}/issuer/${i}`);
  return {
    NODE_ENV: 'production',
    BACKEND_HOST: backend.url,
    SIGNER_ALG: 'HS256',
    SIGNER_KID: 'k0',
    SIGNER_JWK_LOCAL_PATH: keys,
    SIGNER_ISSUER: CLAIMS.iss,
    VALIDATOR_ISSUER: [CLAIMS.iss, ...others].join(),
    VALIDATOR_AUDIENCE: CLAIMS.aud,
    JWK_HTTP_HOSTS: new URL(backend.url).hostname,
    MANAGEMENT_PORT: 'off',
    HOST: '127.0.0.1',
    PORT: '0',
    THROTTLE_LIMIT: '0',
    STATE_STORE: `sqlite:${join(directory, `${count}.db`)}`,
  };
}

/** CPU microseconds per request, of the whole process. */
async function costOf(url: string): Promise<number> {
  const before = await ask<number>(gateways, 'cpu');
  const result = await autocannon({
    url: `${url}/private/custom`,
    connections: 32,
    amount: REQUESTS,
    headers: { authorization: `Bearer ${token}` },
  });
  if (result['2xx'] !== REQUESTS)
    throw new Error(`${result['2xx']} of ${REQUESTS} answers are 200`);
  return ((await ask<number>(gateways, 'cpu')) - before) / REQUESTS;
}

async function ask<Answer>(child: ChildProcess, question: unknown): Promise<Answer> {
  const answer = once(child, 'message');
  child.send(question as string);
  return (await answer)[0] as Answer;
}

/** The geometric mean of the ratios, with twice its standard error. */
function report(pairs: readonly number[][]): void {
  const logs = pairs.map(([one = NaN, many = NaN]) => Math.log(many / one));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const error = 2 * Math.sqrt(variance / logs.length);
  const percent = (log: number): string => `${((Math.exp(log) - 1) * 100).toFixed(1)} %`;
  for (const [index, count] of COUNTS.entries()) {
    const costs = pairs.map((pair) => pair[index] ?? NaN).toSorted((a, b) => a - b);
    console.log(
      `${count} issuer${count === 1 ? '' : 's'}: ${costs[costs.length >> 1]?.toFixed(1)} µs of CPU per request`,
    );
  }
  console.log(
    `difference: ${percent(mean)} (${percent(mean - error)} to ${percent(mean + error)} with 95 %)`,
  );
}
