// What ends a token outlives it by the leeway, in every store: revocation, use, logout, end of a session.
import { describe, expect, it } from 'vitest';
import type { HostedGateway } from './helpers/gateway/host.js';
import { sessionStores } from './helpers/sessions/session-stores.js';
import {
  custom,
  login,
  postForm,
  refresh,
  verdictOf,
  type Pair,
} from './helpers/sessions/sessions.js';

const TTL = 100;
const LEEWAY = 60;
/** Seconds since the login, in order. */
const POINTS = [
  ['before exp', 50],
  ['at exp', TTL],
  ['within leeway', TTL + LEEWAY - 10],
  ['after', TTL + LEEWAY + 1],
] as const;

const revoke = ({ url }: HostedGateway, token: string): Promise<unknown> =>
  postForm(`${url}/token/revoke`, { token });

/** How a token ends, and what is refused from then on. */
const ENDS: readonly {
  what: string;
  end: (gateway: HostedGateway, pair: Pair) => Promise<unknown>;
  accessEnds: boolean;
  refreshEnds: '400 refresh_token_invalid' | '400 refresh_token_reused' | undefined;
}[] = [
  {
    what: 'revoked',
    end: (gateway, { access }) => revoke(gateway, access),
    accessEnds: true,
    refreshEnds: undefined,
  },
  {
    what: 'consumed',
    end: ({ url }, pair) => refresh(url, pair.refresh),
    accessEnds: false,
    refreshEnds: '400 refresh_token_reused',
  },
  {
    what: 'logged out',
    end: ({ url }, { access }) =>
      postForm(`${url}/logout`, {}, { authorization: `Bearer ${access}` }),
    accessEnds: true,
    refreshEnds: '400 refresh_token_invalid',
  },
  {
    what: 'session ended',
    end: (gateway, pair) => revoke(gateway, pair.refresh),
    accessEnds: true,
    refreshEnds: '400 refresh_token_invalid',
  },
];

const { stores, start } = sessionStores();

describe.each(stores)('%s', (store, url, isSkipped) => {
  // A refresh token is as old as the clock says that all gateways share.
  const goesByOwnClock = store !== 'Redis';
  it.skipIf(isSkipped).each(ENDS)('$what', async ({ end, accessEnds, refreshEnds }) => {
    const gateway = await start(url(), {
      REFRESH_RETRY_WINDOW: '0',
      SIGNER_ACCESS_TTL: String(TTL),
      SIGNER_REFRESH_TTL: String(TTL),
      VALIDATOR_LEEWAY: String(LEEWAY),
    });
    const pair = (): Promise<Pair> => login(gateway.url);
    // One that is ended at once for each point: a look at it is a use as well.
    const early = await Promise.all(POINTS.map(pair));
    const late = await Promise.all(POINTS.map(pair));
    for (const one of early) await end(gateway, one);
    let clock = 0;
    for (const [index, [point, seconds]] of POINTS.entries()) {
      await gateway.advanceClock(seconds - clock);
      clock = seconds;
      const endedLate = late[index] as Pair;
      await end(gateway, endedLate);
      for (const [when, { access, refresh: token }] of [
        ['ended early', early[index] as Pair],
        ['ended now', endedLate],
      ] as const) {
        const over = point === 'after';
        const accepted = accessEnds ? '401 token_revoked' : '200';
        const verdict = `${when}, ${point}:`;
        expect(`${verdict} ${await custom(gateway.url, access)}`).toBe(
          `${verdict} ${over ? '401 token_expired' : accepted}`,
        );
        expect(`${verdict} ${verdictOf(await refresh(gateway.url, token))}`).toBe(
          `${verdict} ${over && goesByOwnClock ? '400 refresh_token_invalid' : (refreshEnds ?? '200')}`,
        );
      }
    }
  });
});
