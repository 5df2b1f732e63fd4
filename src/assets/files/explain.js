// @ts-check
import { byId, call, element, onSubmit } from './page.js';
import { explainView, isToken, protectedRoutes, tokenView } from './tokens.js';

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
  byId('answer').replaceChildren(await explainView(token, form.route.value));
  byId('decoded').replaceChildren(...(isToken(token) ? [tokenView('What it says', token, 2)] : []));
});
