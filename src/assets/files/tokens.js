// @ts-check
// Tokens, and what the gateway says of them.
import { call, element, parse } from './page.js';

/** @param {string} part of a JWS, in base64url */
function decoded(part) {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    );
    return JSON.stringify(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
      null,
      2,
    );
  } catch {
    return 'cannot be decoded';
  }
}

/** @param {unknown} value */
export const isToken = (value) =>
  typeof value === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value);

/**
 * A token beside what it says. It is decoded, not verified.
 *
 * @param {string} title
 * @param {string} token
 * @param {number} [level] of its heading
 */
export function tokenView(title, token, level = 3) {
  const [header = '', claims = ''] = token.split('.');
  const dates = timesOf(claims);
  return element(
    'section',
    { class: 'box', 'aria-label': title },
    element(`h${level}`, {}, title),
    element('pre', { class: 'quiet' }, token),
    element(`h${level + 1}`, {}, 'Header'),
    element('pre', {}, decoded(header)),
    element(`h${level + 1}`, {}, 'Claims'),
    element('pre', {}, decoded(claims)),
    ...(dates === '' ? [] : [element('p', { class: 'quiet' }, dates)]),
  );
}

/** @param {string} part */
function timesOf(part) {
  const claims = parse(decoded(part)) ?? {};
  return ['auth_time', 'iat', 'nbf', 'exp']
    .filter((name) => Number.isFinite(claims[name]) && Math.abs(claims[name]) < 8.64e12)
    .map((name) => `${name}: ${new Date(claims[name] * 1000).toLocaleString()}`)
    .join(', ');
}

/**
 * What the gateway says of a token, check by check.
 *
 * @param {any} explanation
 */
function checksView(explanation) {
  const verdict = explanation.accepted
    ? element('p', { class: 'good' }, 'This token is accepted.')
    : element('p', { class: 'bad' }, `This token is refused: ${explanation.code}`);
  const rows = explanation.checks.map(
    (/** @type {any} */ { check, verdict: result, found, reason, fix, notes = [] }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, check),
        element(
          'td',
          { class: result === 'passed' ? 'good' : result === 'refused' ? 'bad' : 'quiet' },
          result,
        ),
        element('td', {}, found ?? ''),
        element(
          'td',
          {},
          ...[reason, fix === undefined ? undefined : `Fix: ${fix}`, ...notes]
            .filter((line) => line !== undefined)
            .map((line) => element('div', {}, line)),
        ),
      ),
  );
  const head = ['Check', 'Verdict', 'Found', 'Expected, and what to do'];
  return element(
    'div',
    { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Checks' },
    verdict,
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text))),
      ),
      element('tbody', {}, ...rows),
    ),
  );
}

/**
 * An answer as it came.
 *
 * @param {{ status: number; text: string; json: any }} answer
 */
export const answerView = ({ status, text, json }) =>
  element(
    'div',
    { class: 'box' },
    element(
      'p',
      { class: status >= 200 && status < 300 ? 'good' : 'bad' },
      status === 0 ? 'No answer' : `Status ${status}`,
    ),
    element('pre', {}, json === undefined ? text : JSON.stringify(json, null, 2)),
  );

/**
 * Asks the gateway about a token, and shows what it says.
 *
 * @param {string} token
 * @param {string} route e.g. `GET /private/custom`; empty: what a bare `@RequireJwt()` asks for
 */
export async function explainView(token, route) {
  const answer = await call('/_explain', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(route === '' ? { token } : { token, route }),
  });
  return answer.json?.checks === undefined ? answerView(answer) : checksView(answer.json);
}

/** @param {any[]} routes @returns {any[]} those that ask for a token */
export const protectedRoutes = (routes) =>
  routes.filter(({ access }) => access === 'token' || access === 'optional');
