// The clock of a gateway is wrong, and is set right: nothing that was confirmed is forgotten, and no session ends.
import { describe, expect, it } from 'vitest';
import type { HostedGateway } from './helpers/gateway/host.js';
import { call } from './helpers/network/http.js';
import { withoutRedis } from './helpers/stores/redis.js';
import { sessionStores } from './helpers/sessions/session-stores.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
  type Pair,
} from './helpers/sessions/sessions.js';

const DAY = 86_400;

const { stores, start } = sessionStores();
/** The one that has a clock of its own. */
const sharedStore = (): string | undefined => stores.find(([name]) => name === 'Redis')?.[1]();

const revoke = ({ url }: HostedGateway, token: string): Promise<string> =>
  postForm(`${url}/token/revoke`, { token }).then(verdictOf);
const logout = ({ url }: HostedGateway, token: string): Promise<string> =>
  call(`${url}/logout`, { method: 'POST', headers: { authorization: `Bearer ${token}` } }).then(
    verdictOf,
  );

describe.each(stores)('what is confirmed under a wrong clock: %s', (_store, url, isSkipped) => {
  it.skipIf(isSkipped).each([
    ['20 days ahead', 20 * DAY],
    ['2 hours ahead', 7200],
    ['20 days behind', -20 * DAY],
  ])('%s, and set right', async (_what, seconds) => {
    const gateway = await start(url());
    const pairs = await Promise.all([1, 2, 3].map(() => login(gateway.url)));
    const [access, session, loggedOut] = pairs as [Pair, Pair, Pair];
    await gateway.advanceClock(seconds);
    expect(await revoke(gateway, access.access)).toBe('200');
    expect(await revoke(gateway, session.refresh)).toBe('200');
    expect(await logout(gateway, loggedOut.access)).toBe('204');
    await gateway.advanceClock(-seconds);
    for (const pair of pairs)
      expect(await custom(gateway.url, pair.access)).toBe('401 token_revoked');
    for (const pair of [session, loggedOut])
      expect(verdictOf(await refresh(gateway.url, pair.refresh))).toBe('400 refresh_token_invalid');
    // The access token alone was revoked.
    expect(verdictOf(await refresh(gateway.url, access.refresh))).toBe('200');
  });
});

describe.each(stores)('a clock that is set back: %s', (_store, url, isSkipped) => {
  it.skipIf(isSkipped).each([-2, -30, -600])('by %i s: sessions go on', async (seconds) => {
    const gateway = await start(url());
    const before = await login(gateway.url);
    await gateway.advanceClock(seconds);
    expect(await custom(gateway.url, before.access)).toBe('200');
    const during = await refresh(gateway.url, before.refresh);
    expect(verdictOf(during)).toBe('200');
    const { access, refresh: token } = pairOf(during);
    expect(await custom(gateway.url, access)).toBe('200');
    expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
  });
});

describe.skipIf(withoutRedis)('a clock that differs from that of the store', () => {
  it.each([
    ['2 s ahead', 2],
    ['2 s behind', -2],
    ['30 s behind', -30],
    ['20 days ahead', 20 * DAY],
    ['20 days behind', -20 * DAY],
  ])(
    '%s: sessions go on, and their tokens are those of a clock that is right',
    async (_what, seconds) => {
      const gateway = await start(sharedStore());
      const before = await login(gateway.url);
      await gateway.advanceClock(seconds);
      const during = await refresh(gateway.url, before.refresh);
      expect(verdictOf(during)).toBe('200');
      await gateway.advanceClock(-seconds);
      const after = pairOf(during);
      expect(await custom(gateway.url, after.access)).toBe('200');
      expect(verdictOf(await refresh(gateway.url, after.refresh))).toBe('200');
    },
  );

  it.each([-2, -30, -20 * DAY])(
    '%i s: tokens of other gateways are not too new',
    async (seconds) => {
      const gateway = await start(sharedStore());
      const { access } = await login(gateway.url);
      await gateway.advanceClock(seconds);
      expect(await custom(gateway.url, access)).toBe('200');
    },
  );

  it('keeps cookies for as long as their tokens live', async () => {
    const gateway = await start(sharedStore(), {
      SESSION_COOKIES: 'true',
      SIGNER_REFRESH_TTL: '5000',
    });
    await gateway.advanceClock(20 * DAY);
    const answer = await call(`${gateway.url}/token`, {
      method: 'POST',
      headers: { origin: gateway.url },
    });
    const ages = answer.headers
      .getSetCookie()
      .map((cookie) => Number(/Max-Age=(\d+)/.exec(cookie)?.[1]));
    expect(ages).toHaveLength(2);
    for (const age of ages) expect(age).toBeGreaterThan(60);
  });
});
