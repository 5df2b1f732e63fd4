// npm run soak [-- --minutes 10 --rate 200]: see README.md beside this file.
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { forged, startSetup } from './setup.js';

const SAMPLE_MS = 2000;
const MB = 1024 * 1024;

interface Sample {
  /** Since the start, in milliseconds. */
  at: number;
  rss: number;
  fds: number;
  loopMs: number;
}

const minutes = numberAfter('--minutes', 10);
/** Requests per second. */
const rate = numberAfter('--rate', 200);
const durationMs = minutes * 60_000;
const warmUpMs = Math.min(60_000, durationMs / 10);

const setup = await startSetup({
  alg: 'HS256',
  env: {
    TOKEN_BACKEND_PATH: '/login.json',
    REFRESH_BACKEND_PATH: '/login.json',
    // So short that what is kept about tokens comes to an end within the soak.
    SIGNER_ACCESS_TTL: '30',
    SIGNER_REFRESH_TTL: '60',
    ADMIN_ROLES: 'admin',
    MANAGEMENT_PORT: '0',
  },
});
const { signet } = setup;
// As fetch does, at a third of the cost: the load shares the machine with the gateway.
const pool = new Pool(signet.url, { connections: 64, headersTimeout: 10_000, bodyTimeout: 10_000 });
const metricsUrl = signet.printed(/Metrics on (http:[^"\s]+)/);
const [admin = ''] = await setup.tokens(1, { roles: ['admin'] });
const valid = await setup.tokens(1000);
const expired = await setup.tokens(100, { exp: 1_000_000_000 });
const bad = valid.slice(0, 100).map(forged);

let requests = 0;
let unexpected = 0;
const examples = new Set<string>();

function numberAfter(option: string, byDefault: number): number {
  const index = process.argv.indexOf(option);
  const value = index < 0 ? byDefault : Number(process.argv[index + 1]);
  if (!(value > 0)) throw new Error(`${option} takes a number above 0`);
  return value;
}

/** One request, whose answer has to have `status`. */
async function send(
  method: 'GET' | 'POST',
  path: string,
  status: number,
  token?: string,
  form?: Record<string, string>,
): Promise<Record<string, unknown> | undefined> {
  requests++;
  try {
    const { statusCode, body } = await pool.request({
      method,
      path,
      headers: {
        ...(token === undefined ? undefined : { authorization: `Bearer ${token}` }),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form && new URLSearchParams(form).toString(),
    });
    const text = await body.text();
    if (statusCode !== status) throw new Error(`${statusCode} ${text.slice(0, 200)}`);
    return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : undefined;
  } catch (error) {
    unexpected++;
    if (examples.size < 10) examples.add(`${method} ${path}: ${String(error)}`);
    return undefined;
  }
}

const custom = (status: number, token?: string) => send('GET', '/private/custom', status, token);

/** A login, a refresh, and the end of the session: three requests and a refusal. */
async function session(): Promise<void> {
  const form = { grant_type: 'refresh_token' };
  const login = await send('POST', '/token', 200);
  const next = await send('POST', '/token', 200, undefined, {
    ...form,
    refresh_token: String(login?.refresh_token),
  });
  const token = String(next?.refresh_token);
  await send('POST', '/token/revoke', 200, undefined, { token });
  await send('POST', '/token', 400, undefined, { ...form, refresh_token: token });
}

/** What is sent in turn; each is 1 request, but the session 4. */
const mix: readonly (() => Promise<unknown>)[] = [
  () => send('POST', '/token', 200),
  () => custom(200, valid[requests % valid.length]),
  () => custom(401, expired[requests % expired.length]),
  () => custom(401, bad[requests % bad.length]),
  () => custom(401),
  () => send('GET', '/.well-known/jwks.json', 200),
  () => send('GET', '/health/ready', 200),
  () => custom(200, valid[requests % valid.length]),
  () => send('POST', '/token/introspect', 200, admin, { token: valid[0] ?? '' }),
  session,
];
const REQUESTS_PER_ROUND = mix.length + 3;

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1] ?? NaN);

const start = performance.now();
const elapsed = (): number => performance.now() - start;
const samples: Sample[] = [];
let metrics = '';

async function sample(): Promise<void> {
  metrics = await (await fetch(metricsUrl)).text();
  const loopMs = metric(metrics, 'signet_event_loop_delay_seconds') * 1000;
  samples.push({ at: elapsed(), rss: signet.rss(), fds: signet.openFiles(), loopMs });
}

async function load(): Promise<void> {
  const pending = new Set<Promise<unknown>>();
  for (let turn = 0; elapsed() < durationMs; turn++) {
    const due = (Math.floor(turn / mix.length) * REQUESTS_PER_ROUND + (turn % mix.length)) / rate;
    const wait = due * 1000 - elapsed();
    if (wait > 1) await sleep(wait);
    const sent = mix[turn % mix.length]?.().finally(() => pending.delete(sent as Promise<unknown>));
    pending.add(sent as Promise<unknown>);
  }
  await Promise.all(pending);
}

/** By linear regression, per hour. */
function slope(list: readonly Sample[]): number {
  const mean = (of: (one: Sample) => number): number =>
    list.reduce((sum, one) => sum + of(one), 0) / list.length;
  const [at, rss] = [mean((one) => one.at), mean((one) => one.rss)];
  const above = mean((one) => (one.at - at) * (one.rss - rss));
  return (above / mean((one) => (one.at - at) ** 2)) * 3_600_000;
}

try {
  const loading = load();
  while (elapsed() < durationMs) {
    await sleep(Math.min(SAMPLE_MS, Math.max(1, durationMs - elapsed())));
    await sample();
  }
  await loading;
} finally {
  await pool.close();
  await setup.stop();
}

const warm = samples.filter(({ at }) => at > warmUpMs);
const [first, last] = [warm[0], warm.at(-1)];
if (first === undefined || last === undefined) throw new Error('too short for a sample');
const loops = warm.map(({ loopMs }) => loopMs).toSorted((a, b) => a - b);
const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
const rows = [
  ['duration', `${minutes} min, of which ${(warmUpMs / 1000).toFixed(0)} s warm-up`],
  ['requests', `${requests}, ${(requests / (elapsed() / 1000)).toFixed(0)}/s`],
  ['unexpected answers', `${unexpected}`],
  [
    'RSS start, end, peak',
    [first.rss, last.rss, Math.max(...warm.map((one) => one.rss))].map(mb).join(', '),
  ],
  ['RSS slope', `${(slope(warm) / MB).toFixed(1)} MB/h`],
  ['FDs start, end', `${first.fds}, ${last.fds}`],
  [
    'event-loop delay p99, median and maximum',
    [loops[Math.floor(loops.length / 2)], loops.at(-1)]
      .map((ms) => `${ms?.toFixed(1)} ms`)
      .join(', '),
  ],
  ['revocations held', `${metric(metrics, 'signet_revocations')}`],
];
const lines = [['', 'soak'], ['---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`);
process.stdout.write(`${lines.join('\n')}\n`);
for (const example of examples) process.stdout.write(`${example}\n`);
process.exitCode = unexpected > 0 ? 1 : 0;
