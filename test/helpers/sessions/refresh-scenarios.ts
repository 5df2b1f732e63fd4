import { request as send } from 'node:http';
import { expect, it } from 'vitest';
import { callWith } from '../network/http.js';
import { custom, login, pairOf, refresh, verdictOf, type Pair } from './sessions.js';

/** A gateway with a retry window: two URLs where it has two nodes, the same one twice where it has one. */
export interface Nodes {
  readonly urls: readonly [string, string];
  /** Waits until the window of a refresh that was made before is over. */
  windowOver(): Promise<unknown>;
  /** From now on the backend answers a refresh after so many milliseconds. */
  delayRefresh(ms: number): Promise<void>;
  /** Refreshes that the backend was asked for. */
  asked(): number;
}

const REUSED = '400 refresh_token_reused';

/** Revoked: on the other node, too, once it has looked at the store. */
async function expectOver(nodes: Nodes, pair: Pair): Promise<void> {
  for (const url of nodes.urls) {
    await expect.poll(() => custom(url, pair.access), { interval: 50 }).toBe('401 token_revoked');
    expect(verdictOf(await refresh(url, pair.refresh))).toBe('400 refresh_token_invalid');
  }
}

/** Of a route that asks for a role which the token lacks. */
const adminVerdict = async (url: string, token: string): Promise<string> =>
  verdictOf(await callWith(`${url}/admin/revocations`, token));

/** The session goes on, with the tokens of the last answer. */
async function expectGoingOn({ urls: [one, other] }: Nodes, pair: Pair): Promise<void> {
  expect(await custom(one, pair.access)).toBe('200');
  expect(await custom(other, pair.access)).toBe('200');
  const next = await refresh(other, pair.refresh);
  expect(verdictOf(next)).toBe('200');
  expect(await custom(one, pairOf(next).access)).toBe('200');
}

/** So many pages refresh at the same time with the one token that they share. */
async function expectSameAnswers(count: number, nodes: Nodes): Promise<void> {
  const first = await login(nodes.urls[0]);
  const answers = await Promise.all(
    Array.from({ length: count }, (_, tab) =>
      refresh(nodes.urls[tab % 2] as string, first.refresh),
    ),
  );
  expect(answers.map(verdictOf)).toEqual(answers.map(() => '200'));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  // The old token is still that of a page that has not looked yet: no successor of its own.
  expect(await custom(nodes.urls[1], first.access)).toBe('200');
  await expectGoingOn(nodes, pairOf(answers[0] as (typeof answers)[0]));
}

/** Sends a refresh and hangs up once the backend is asked. */
async function hangUp(nodes: Nodes, token: string): Promise<void> {
  const before = nodes.asked();
  const { hostname, port } = new URL(nodes.urls[0]);
  const request = send({ hostname, port, path: '/token', method: 'POST', agent: false });
  request.setHeader('content-type', 'application/x-www-form-urlencoded');
  request.on('error', () => undefined);
  request.end(`grant_type=refresh_token&refresh_token=${token}`);
  await expect.poll(() => nodes.asked(), { interval: 5 }).toBe(before + 1);
  request.destroy();
}

/** Adds a test per row: what happens, and whether the session goes on. */
export function describeRetries(open: () => Nodes): void {
  it.each([2, 6])('%i tabs: each gets the same answer, and the session goes on', (count) =>
    expectSameAnswers(count, open()),
  );

  it('a tab whose request was under way when another one used its answer: the same answer', async () => {
    const nodes = open();
    const [one, other] = nodes.urls;
    const first = await login(one);
    await nodes.delayRefresh(300);
    const before = nodes.asked();
    const slow = refresh(other, first.refresh);
    await expect.poll(() => nodes.asked(), { interval: 5 }).toBe(before + 1);
    await nodes.delayRefresh(0);
    const quick = await refresh(one, first.refresh);
    expect(await custom(one, pairOf(quick).access)).toBe('200');
    expect((await slow).text).toBe(quick.text);
    await expectGoingOn(nodes, pairOf(quick));
  });

  it('a lost answer: the repetition gets it, on another node as well, as often as it asks', async () => {
    const nodes = open();
    const first = await login(nodes.urls[0]);
    const lost = await refresh(nodes.urls[0], first.refresh);
    for (const url of [nodes.urls[1], ...nodes.urls])
      expect((await refresh(url, first.refresh)).text).toBe(lost.text);
    await expectGoingOn(nodes, pairOf(lost));
  });

  it('a client that hangs up before its answer: the token is good again', async () => {
    const nodes = open();
    const [first, other] = [await login(nodes.urls[0]), await login(nodes.urls[0])];
    await nodes.delayRefresh(300);
    await hangUp(nodes, first.refresh);
    // Its answer comes as late, and so after that of the one whose client is gone.
    expect(verdictOf(await refresh(nodes.urls[0], other.refresh))).toBe('200');
    await nodes.delayRefresh(0);
    // Nothing that was left for a repetition is of help any more.
    await nodes.windowOver();
    const again = await refresh(nodes.urls[1], first.refresh);
    expect(verdictOf(again)).toBe('200');
    await expectGoingOn(nodes, pairOf(again));
  });

  it('a thief after the window: refused, and the session ends', async () => {
    const nodes = open();
    const [one, other] = nodes.urls;
    const first = await login(one);
    const second = pairOf(await refresh(one, first.refresh));
    await nodes.windowOver();
    expect(verdictOf(await refresh(other, first.refresh))).toBe(REUSED);
    await expectOver(nodes, second);
  });

  it('a thief within it, after the new access token was used on another node: refused, and the session ends', async () => {
    const nodes = open();
    const [one, other] = nodes.urls;
    const first = await login(one);
    const second = pairOf(await refresh(one, first.refresh));
    expect(await custom(other, second.access)).toBe('200');
    expect(verdictOf(await refresh(one, first.refresh))).toBe(REUSED);
    await expectOver(nodes, second);
  });

  it('a thief within it, after the new access token was refused for its roles: the same', async () => {
    const nodes = open();
    const [one, other] = nodes.urls;
    const first = await login(one);
    const second = pairOf(await refresh(one, first.refresh));
    expect(await adminVerdict(other, second.access)).toBe('403 roles_missing');
    expect(verdictOf(await refresh(one, first.refresh))).toBe(REUSED);
    await expectOver(nodes, second);
  });

  it('a thief within it, after the new refresh token was used on another node: refused, and the session ends', async () => {
    const nodes = open();
    const [one, other] = nodes.urls;
    const first = await login(one);
    const second = pairOf(await refresh(one, first.refresh));
    const third = pairOf(await refresh(other, second.refresh));
    expect(verdictOf(await refresh(one, first.refresh))).toBe(REUSED);
    await expectOver(nodes, third);
  });

  it('a thief within it who is the first: the owner notices, and the session ends for both', async () => {
    const nodes = open();
    const [one, other] = nodes.urls;
    const first = await login(one);
    const stolen = pairOf(await refresh(other, first.refresh));
    expect(await custom(other, stolen.access)).toBe('200');
    expect(verdictOf(await refresh(one, first.refresh))).toBe(REUSED);
    await expectOver(nodes, stolen);
  });
}
