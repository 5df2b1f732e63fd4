// @ts-check
import { byId, call, element, onSubmit } from './page.js';
import { answerView, explainView, isToken, protectedRoutes, tokenView } from './tokens.js';

const login = /** @type {HTMLFormElement} */ (byId('login'));
const caller = /** @type {HTMLFormElement} */ (byId('call'));
/** Of the last login. It is kept on this page only. */
let accessToken = '';

const { json: facts } = await call('/_pages/facts.json');
byId('backend').textContent = facts.demo
  ? 'No BACKEND_HOST is set, so the demo backend decides who may log in.'
  : 'The backend that BACKEND_HOST names decides who may log in.';
byId('users').hidden = !facts.demo;
byId('links').append(
  ...facts.links.map((/** @type {any} */ { href, text }) => element('a', { href }, text)),
);
byId('routes').append(
  ...facts.routes.map((/** @type {any} */ { method, path, access, roles, scopes, signedFields }) =>
    element(
      'tr',
      {},
      ...[method, path, access, roles.join(', '), scopes.join(' '), signedFields.join(', ')].map(
        (text) => element('td', {}, text),
      ),
    ),
  ),
);
// Routes with parameters need values that nobody knows here.
const callable = protectedRoutes(facts.routes).filter(
  ({ method, path }) => method === 'GET' && !/[:*{]/.test(path),
);
caller.route.append(
  ...callable.map(({ path }) => element('option', { value: path }, `GET ${path}`)),
);

for (const button of login.querySelectorAll('button[data-user]'))
  button.addEventListener('click', () => {
    const { user = '', password = '' } = /** @type {HTMLElement} */ (button).dataset;
    login.username.value = user;
    login.password.value = password;
    login.requestSubmit();
  });

onSubmit(login, async () => {
  const body = new URLSearchParams({
    grant_type: 'password',
    username: login.username.value,
    password: login.password.value,
  });
  const answer = await call('/token', { method: 'POST', body });
  const fields = Object.entries(answer.json ?? {}).filter(([, value]) => isToken(value));
  accessToken = typeof answer.json?.access_token === 'string' ? answer.json.access_token : '';
  byId('login-answer').replaceChildren(
    fields.length === 0
      ? answerView(answer)
      : element(
          'div',
          { class: 'tokens' },
          ...fields.map(([name, token]) => tokenView(name, String(token))),
        ),
  );
});

onSubmit(caller, async () => {
  const path = caller.route.value;
  const sends = caller['with-token'].checked && accessToken !== '';
  const answer = await call(
    path,
    sends ? { headers: { Authorization: `Bearer ${accessToken}` } } : undefined,
  );
  const shown = [answerView(answer)];
  if (sends && (answer.status === 401 || answer.status === 403))
    shown.push(await explainView(accessToken, `GET ${path}`));
  else if (!sends && answer.status === 401)
    shown.push(element('p', {}, 'The request carried no token: log in first, and send it.'));
  byId('call-answer').replaceChildren(...shown);
});
