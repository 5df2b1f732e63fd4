// @ts-check
import { byId, call, element, onSubmit } from './page.js';

const EVERY_MS = 5000;
const form = /** @type {HTMLFormElement} */ (byId('refresh'));

/** @type {{ at: number; total: number } | undefined} at the answer before, to tell how many there are a second */
let before;
/** What was told last: only what changes is told again. */
let told = '';

async function show() {
  const { status, json } = await call('/status.json');
  if (status !== 200 || json === undefined)
    tell([`The gateway does not answer (${status === 0 ? 'no connection' : status})`]);
  else render(json);
}

/** @param {any} status */
function render(status) {
  byId('about').textContent =
    `Signet ${status.version} on Node ${status.node}, as of ${timeOf(status.at)}.`;
  if (status.explainPage && document.querySelector('#links a[href="/_explain"]') === null)
    byId('links').append(element('a', { href: '/_explain' }, 'Why is a token refused?'));
  tell(status.problems);
  showKeys(status);
  showFacts(status);
  rows(
    'workers',
    status.workers.processes.map((/** @type {any} */ one) => [
      one.pid,
      duration(one.uptimeSeconds),
      `${Math.round(one.memoryBytes / 1e6)} MB`,
      `${Math.round(one.load * 100)} %`,
      one.requests.total,
      one.requests.failed,
    ]),
  );
  byId('workers-about').textContent =
    `${status.workers.serving} serving, ${status.workers.restarts} replaced since the start.`;
  byId('codes').textContent = counts(status.refusals) || 'None since the start.';
  rows(
    'refusals',
    status.lastRefusals.map((/** @type {any} */ one) => [
      timeOf(one.at),
      one.code,
      one.status,
      `${one.method} ${one.route}`,
      one.requestId,
    ]),
  );
}

/** @param {any} status */
function showKeys({ keySets, keySetCount, rotation, issuers, at }) {
  const signing = keySets.filter((/** @type {any} */ { signs }) => signs);
  byId('rotation').textContent =
    rotation
      .map(
        (/** @type {any} */ step) =>
          `${step.alg}: ${step.step} ${step.kids.join(', ')}, ${step.at > at ? `in ${duration(step.at - at)}` : `due for ${duration(at - step.at)}`} (${timeOf(step.at)}).`,
      )
      .join(' ') || 'No step of a rotation is under way.';
  rows(
    'keys',
    signing
      .flatMap((/** @type {any} */ { keys }) => keys)
      .map((/** @type {any} */ { kid, alg, state, notBefore, notAfter }) => [
        kid,
        alg,
        state ?? 'no state: signs where it is named',
        notBefore === undefined ? '' : timeOf(notBefore),
        notAfter === undefined ? '' : timeOf(notAfter),
      ]),
  );
  const left = keySetCount - keySets.length;
  rows('sets', [
    ...keySets.map((/** @type {any} */ set) => [
      set.signs ? `${set.source} (signs)` : set.source,
      set.ageSeconds === undefined ? 'has not come yet' : duration(set.ageSeconds),
      set.keyCount,
      set.skippedCount === 0 ? '' : `${set.skippedCount}: ${set.skipped.join('; ')}`,
      set.problem === undefined ? '' : `for ${duration(set.staleSeconds)}: ${set.problem}`,
    ]),
    ...(left > 0 ? [[`and ${left} more`, '', '', '', '']] : []),
  ]);
  rows(
    'issuers',
    issuers.map((/** @type {any} */ { issuer, own, source }) => [
      issuer,
      own ? 'our own' : 'of others',
      source,
    ]),
  );
}

/** @param {any} status */
function showFacts({ store, backend, requests, logins, workers, at }) {
  facts('store', {
    Store: store.description,
    'Last seen': store.staleSeconds > 0 ? `${duration(store.staleSeconds)} ago` : 'now',
    'Answers in': `${(store.delaySeconds * 1000).toFixed(1)} ms`,
    Writes: store.readOnly === undefined ? 'taken' : `not taken: ${store.readOnly}`,
    'Clock of this machine':
      Math.abs(store.clockSkew) < 0.05
        ? 'that of the store'
        : `${Math.abs(store.clockSkew).toFixed(1)} s ${store.clockSkew > 0 ? 'ahead' : 'behind'}`,
    Revocations: counts(store.revocations) || 'none in force',
    Sessions: sessions(store),
  });
  facts(
    'backend',
    backend === undefined
      ? { Backend: 'none' }
      : {
          Circuit: backend.breaker,
          'Calls under way': backend.inFlight,
          'Not called': backend.rejected,
          'Sent twice': backend.retries,
        },
  );
  const seconds = before === undefined ? 0 : at - before.at;
  const rate =
    before === undefined || seconds <= 0 || requests.total < before.total
      ? 'known after the next refresh'
      : ((requests.total - before.total) / seconds).toFixed(1);
  if (seconds > 0 || before === undefined) before = { at, total: requests.total };
  const load = workers.processes.map((/** @type {any} */ one) => one.load);
  facts('load', {
    'Requests per second': rate,
    'Busiest worker': `${Math.round(Math.max(...load) * 100)} %`,
    Requests: `${requests.total}, ${requests.failed} of them failed (5xx)`,
    Logins: counts(logins) || 'none',
  });
}

/** @param {string[]} problems */
function tell(problems) {
  const text = problems.join('\n');
  if (text === told && byId('problems').hasChildNodes()) return;
  told = text;
  byId('problems').replaceChildren(
    problems.length === 0
      ? element('p', { class: 'good' }, 'All is well.')
      : element('ul', { class: 'bad' }, ...problems.map((line) => element('li', {}, line))),
  );
}

/**
 * @param {string} id of a tbody
 * @param {any[][]} lines
 */
function rows(id, lines) {
  byId(id).replaceChildren(
    ...lines.map(([first, ...others]) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, String(first)),
        ...others.map((text) => element('td', {}, String(text))),
      ),
    ),
  );
}

/**
 * @param {string} id of a dl
 * @param {Record<string, string | number>} pairs
 */
function facts(id, pairs) {
  byId(id).replaceChildren(
    ...Object.entries(pairs).flatMap(([name, value]) => [
      element('dt', {}, name),
      element('dd', {}, String(value)),
    ]),
  );
}

/** @param {Record<string, number>} numbers */
const counts = (numbers) =>
  Object.entries(numbers)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** @param {any} store */
const sessions = ({ listsSessions, sessions: known }) =>
  !listsSessions
    ? 'not listed: SESSION_LIST is off'
    : known === undefined
      ? 'not counted'
      : `${known.more ? 'more than ' : ''}${known.count}`;

/** @param {number} seconds since 1970 */
const timeOf = (seconds) =>
  Math.abs(seconds) < 8.64e12 ? new Date(seconds * 1000).toLocaleString() : String(seconds);

/** @param {number} seconds */
function duration(seconds) {
  /** @type {[number, string][]} */
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const [size, unit] = units.find(([one]) => seconds >= 2 * one) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

onSubmit(form, show);
setInterval(() => {
  if (form.auto.checked && !document.hidden) void show();
}, EVERY_MS);
await show();
