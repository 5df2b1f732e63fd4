import { expect } from 'vitest';
import { startBackend, type Backend } from '../backends/backend.js';
import type { Gateway } from '../gateway/gateway.js';
import { call, type Answer } from '../network/http.js';
import { AUDIENCE, ISSUER } from '../issuers/issuer.js';

const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER };

/** What a {@link startSessionBackend} answers to a login and to a refresh. */
export const SESSION_LOGIN = {
  access_token: { ...CLAIMS, roles: ['role_a'] },
  refresh_token: CLAIMS,
};

/** Starts a backend that logs `u1` in, refreshes at `/refresh.json`, and has the data of `/private/custom`. */
export async function startSessionBackend(): Promise<Backend> {
  const backend = await startBackend();
  await backend.answer('/token.json', { body: SESSION_LOGIN });
  await backend.answer('/refresh.json', { body: SESSION_LOGIN });
  await backend.answer('/user/1.json', { body: { id: 1 } });
  return backend;
}

/** Tokens of one answer of `POST /token`. */
export interface Pair {
  access: string;
  refresh: string;
}

export const pairOf = ({ json }: Answer): Pair => ({
  access: String(json.access_token),
  refresh: String(json.refresh_token),
});

/** A POST with a form. */
export const postForm = (
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> => call(url, { method: 'POST', body: new URLSearchParams(form), headers });

/** A login without credentials, as far as the backend allows it; as of a page of the gateway's own origin. */
export const login = async (url: string): Promise<Pair> =>
  pairOf(await call(`${url}/token`, { method: 'POST', headers: { origin: url } }));

/** One use of a refresh token. */
export const refresh = (
  url: string,
  token: string,
  parameters: Record<string, string> = {},
): Promise<Answer> =>
  postForm(
    `${url}/token`,
    { grant_type: 'refresh_token', refresh_token: token, ...parameters },
    { origin: url },
  );

/** Status and code. */
export const verdictOf = ({ status, json }: Answer): string =>
  typeof json.code === 'string' ? `${status} ${json.code}` : String(status);

/** Status and code of `GET /private/custom`. */
export const custom = async (url: string, token: string): Promise<string> =>
  verdictOf(await call(`${url}/private/custom`, { headers: { authorization: `Bearer ${token}` } }));

/** 50 uses at the same time over all `gateways`, which have no retry window; afterwards the family is dead on each. */
export async function expectRace(gateways: readonly Pick<Gateway, 'url'>[]): Promise<void> {
  const urls = gateways.map(({ url }) => url);
  const first = await login(urls[0] ?? '');
  const uses = await Promise.all(
    Array.from({ length: 50 }, (_, i) => refresh(urls[i % urls.length] ?? '', first.refresh)),
  );
  const verdicts = uses.map(verdictOf);
  expect(verdicts.filter((verdict) => verdict === '200')).toHaveLength(1);
  expect(new Set(verdicts.filter((verdict) => verdict !== '200'))).toEqual(
    verdicts.includes('400 refresh_token_invalid')
      ? new Set(['400 refresh_token_reused', '400 refresh_token_invalid'])
      : new Set(['400 refresh_token_reused']),
  );
  const winner = pairOf(uses[verdicts.indexOf('200')] as (typeof uses)[0]);
  for (const url of urls) {
    await expect
      .poll(() => custom(url, winner.access), { timeout: 3000, interval: 50 })
      .toBe('401 token_revoked');
    expect(verdictOf(await refresh(url, winner.refresh))).toBe('400 refresh_token_invalid');
  }
}
