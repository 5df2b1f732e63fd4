import { call, type Answer } from './http.js';

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

/** A login without credentials, as far as the backend allows it. */
export const login = async (url: string): Promise<Pair> =>
  pairOf(await call(`${url}/token`, { method: 'POST' }));

/** One use of a refresh token. */
export const refresh = (url: string, token: string): Promise<Answer> =>
  postForm(`${url}/token`, { grant_type: 'refresh_token', refresh_token: token });

/** Status and code. */
export const verdictOf = ({ status, json }: Answer): string =>
  typeof json.code === 'string' ? `${status} ${json.code}` : String(status);

/** Status and code of `GET /private/custom`. */
export const custom = async (url: string, token: string): Promise<string> =>
  verdictOf(await call(`${url}/private/custom`, { headers: { authorization: `Bearer ${token}` } }));
