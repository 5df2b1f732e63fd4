import { limit } from '../run/faults.js';
import type { Gateway } from '../gateway/gateway.js';
import { call } from '../network/http.js';
import { part } from './keys.js';

/** What a new key file may take until it is in use, in milliseconds. */
export const USABLE_WITHIN_MS = 2000;

/** Waits for a condition; the milliseconds it took, which may be `withinMs` on a quiet machine. */
export async function until(
  condition: () => Promise<boolean>,
  withinMs = USABLE_WITHIN_MS,
): Promise<number> {
  const most = limit(withinMs, 10 * withinMs);
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > most) throw new Error(`not within ${most} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - start;
}

/** A JWK as JSON. */
export type Jwk = Record<string, unknown>;

export const withState = (jwk: Jwk, state: string): Jwk => ({ ...jwk, signet: { state } });

/** A JWK Set as text. */
export const keySet = (...keys: Jwk[]): string => JSON.stringify({ keys });

/** The `kid` of the key that signs at present. */
export async function signingKid({ url }: Pick<Gateway, 'url'>): Promise<unknown> {
  const { json } = await call(`${url}/token`, { method: 'POST' });
  return part(String(json.access_token), 0).kid;
}
