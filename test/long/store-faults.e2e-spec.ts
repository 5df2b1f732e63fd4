// What a session goes through when the network to the store is not as it should be.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from '../helpers/backends/backend.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { AUDIENCE, ISSUER } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { openLink, type NetworkLink } from '../helpers/network/network-link.js';
import { startPostgres, withoutPostgres } from '../helpers/stores/postgres.js';
import { startRedis, withoutRedis } from '../helpers/stores/redis.js';
import {
  custom,
  login,
  pairOf,
  refresh,
  verdictOf,
  type Pair,
} from '../helpers/sessions/sessions.js';

const SERVERS = [
  ['Redis', withoutRedis, startRedis],
  ['PostgreSQL', withoutPostgres, startPostgres],
] as const;

for (const [name, isMissing, startServer] of SERVERS)
  describe.skipIf(isMissing)(`two gateways and a ${name}`, () => {
    let backend: Backend;
    let keys: string;
    let server: { url: string; port: number; stop(): Promise<void> };
    const claims = { sub: 'u1' };
    const body = {
      access_token: { ...claims, roles: ['role_a'] },
      refresh_token: claims,
    };
    beforeAll(async () => {
      backend = await startBackend();
      keys = writeKeys([await generateJwk('HS256', 'sim2')]);
      server = await startServer();
      await backend.answer('/user/1.json', { body: { id: 1 } });
    });
    beforeEach(async () => {
      await backend.answer('/token.json', { body });
      await backend.answer('/refresh.json', { body });
    });
    afterAll(() => Promise.all([backend.stop(), server.stop()]));

    interface Node extends GatewayProcess {
      link: NetworkLink;
    }
    async function start(env: Record<string, string> = {}): Promise<Node> {
      const link = await openLink(server.port);
      const gateway = await startGateway({
        BACKEND_HOST: backend.url,
        SIGNER_JWK_LOCAL_PATH: keys,
        SIGNER_ISSUER: ISSUER,
        VALIDATOR_AUDIENCE: AUDIENCE,
        REFRESH_BACKEND_PATH: '/refresh.json',
        STATE_STORE: server.url.replace(`:${server.port}`, `:${link.port}`),
        ...env,
      });
      return { ...gateway, link };
    }
    const stop = (nodes: readonly Node[]): Promise<unknown> =>
      Promise.all(nodes.map((node) => node.stop()));
    const asked = (): number => backend.seen.filter(({ url }) => url === '/refresh.json').length;

    /** Refreshes, and does something once the backend was asked: the store is next. */
    async function refreshAnd({ url }: Node, token: string, act: () => void) {
      // The link may have been mended a moment ago.
      await expect.poll(async () => (await call(`${url}/health/ready`)).status).toBe(200);
      await backend.answer('/refresh.json', { body, delayMs: 200 });
      const before = asked();
      let early = 'no answer';
      const answer = refresh(url, token);
      void answer.then((one) => (early = verdictOf(one)));
      // An answer before the backend was asked says what is wrong.
      await expect.poll(() => [asked(), early], { interval: 5 }).toEqual([before + 1, 'no answer']);
      act();
      await backend.answer('/refresh.json', { body });
      return answer;
    }

    /** As a client that follows `Retry-After`. */
    async function refreshPatiently(urls: readonly string[], token: string): Promise<string> {
      for (let attempt = 0; ; attempt++) {
        const answer = await refresh(urls[attempt % urls.length] as string, token);
        if (answer.status !== 503) {
          if (answer.status === 200) await expectGoingOn(urls, pairOf(answer));
          return verdictOf(answer);
        }
        expect(answer.headers.get('retry-after')).toBe('1');
        await sleep(1000);
      }
    }

    async function expectGoingOn(urls: readonly string[], pair: Pair): Promise<void> {
      for (const url of urls) await expect.poll(() => custom(url, pair.access)).toBe('200');
      const next = await refresh(urls[0] as string, pair.refresh);
      expect(verdictOf(next)).toBe('200');
      expect(await custom(urls[0] as string, pairOf(next).access)).toBe('200');
    }

    describe.each(['0', '1', '10'])('with a retry window of %s s', (REFRESH_RETRY_WINDOW) => {
      let one: Node;
      let other: Node;
      beforeAll(async () => {
        [one, other] = await Promise.all([
          start({ REFRESH_RETRY_WINDOW }),
          start({ REFRESH_RETRY_WINDOW }),
        ]);
      });
      afterAll(() => stop([one, other]));

      it('a connection that is lost at the step of the store: the gateway asks again by itself', async () => {
        const { refresh: token } = await login(one.url);
        const answer = await refreshAnd(one, token, () => {
          one.link.loseAnswers();
          setTimeout(() => one.link.mend(), 500);
        });
        expect(verdictOf(answer)).toBe('200');
        await expectGoingOn([one.url, other.url], pairOf(answer));
      });

      it('an answer of the store that never comes: the client repeats at another node and goes on', async () => {
        const { refresh: token } = await login(one.url);
        const answer = await refreshAnd(one, token, () => one.link.loseAnswers());
        expect(verdictOf(answer)).toBe('503 state_unavailable');
        await sleep(1000);
        const again = await refresh(other.url, token);
        one.link.mend();
        expect(verdictOf(again)).toBe('200');
        await expectGoingOn([other.url, one.url], pairOf(again));
        // Two uses of what the other one got are two uses.
        expect(verdictOf(await refresh(other.url, token))).toBe('400 refresh_token_reused');
      });

      it('no node reaches the store for longer than the window lasts: the client repeats and goes on', async () => {
        const { refresh: token } = await login(one.url);
        const answer = await refreshAnd(one, token, () => {
          one.link.loseAnswers();
          other.link.cut();
        });
        expect(verdictOf(answer)).toBe('503 state_unavailable');
        const patient = refreshPatiently([other.url, one.url], token);
        await sleep(REFRESH_RETRY_WINDOW === '10' ? 11_000 : 3000);
        other.link.mend();
        one.link.mend();
        expect(await patient).toBe('200');
      });
    });
  });
