// @ts-check
import {
  answerView,
  byId,
  call,
  checksView,
  element,
  explain,
  isToken,
  onSubmit,
  protectedRoutes,
  tokenView,
} from './view.js';

const form = /** @type {HTMLFormElement} */ (byId('explain'));

const { json: facts } = await call('/_pages/facts.json');
form.route.append(
  element('option', { value: '' }, 'a bare @RequireJwt()'),
  ...protectedRoutes(facts.routes).map(({ method, path }) =>
    element('option', { value: `${method} ${path}` }, `${method} ${path}`),
  ),
);

onSubmit(form, async () => {
  // As people copy it: with the scheme, and with line breaks.
  const token = form.token.value.replace(/^\s*(?:Bearer|DPoP)\s+/i, '').replace(/\s+/g, '');
  const answer = await explain(token, form.route.value);
  byId('answer').replaceChildren(
    answer.json?.checks === undefined ? answerView(answer) : checksView(answer.json),
  );
  byId('decoded').replaceChildren(...(isToken(token) ? [tokenView('What it says', token, 2)] : []));
});
