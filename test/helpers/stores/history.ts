import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Answer } from '../network/http.js';
import { pairOf, verdictOf, type Pair } from '../sessions/sessions.js';

/** Something that a client did, with the times of the monotonic clock. */
export interface Step {
  readonly what: 'login' | 'check' | 'refresh' | 'revoke';
  /** Which gateway was asked. */
  readonly node: number;
  readonly began: number;
  readonly ended: number;
  /** Status and code; what failed where there was no answer. */
  readonly verdict: string;
  /** The token that it was about. */
  readonly token: string;
  /** The refresh token that came back. */
  readonly next?: string;
}

/** A client gives up after so long. */
const PATIENCE_MS = 8000;
/** Between two tries, as `Retry-After` says at least; tests have less time. */
const RETRY_MS = 250;
/** Between two steps of one client. */
const PAUSE_MS = 40;

/** Clients of several gateways, and everything that they were told. */
export class History {
  readonly steps: Step[] = [];
  /** Sessions of patient clients that ended, which none should. */
  readonly lost: string[] = [];
  /** The last refresh token of each patient client, used by nobody. */
  readonly alive = new Map<number, string>();
  private readonly ending = new AbortController();
  private readonly running: Promise<void>[] = [];

  /**
   * @param urls of the gateways, which may change when one is started again
   * @param isWrong of a gateway whose clock is wrong, and which may refuse tokens for it; they are tried again then
   */
  constructor(
    private readonly urls: () => readonly string[],
    private readonly isWrong: (node: number) => boolean = () => false,
  ) {}

  /** Starts clients of all kinds. */
  async begin(): Promise<void> {
    const nodes = this.urls().map((_url, node) => node);
    const good = await this.login(0);
    if (good === undefined) throw new Error('nobody can log in');
    this.running.push(
      ...[0, 1, 2].map((client) => this.patient(client)),
      this.racer(),
      this.revoker(),
      // A token that nobody revokes, at each of them.
      ...nodes.map((node) => this.repeat(() => this.check(node, good.access))),
    );
  }

  async end(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.running);
  }

  async login(node: number): Promise<Pair | undefined> {
    const answer = await this.step('login', node, '', '/token', {});
    return answer?.status === 200 ? pairOf(answer) : undefined;
  }

  check = async (node: number, token: string): Promise<void> => {
    await this.step('check', node, token, '/private/custom');
  };

  refresh(node: number, token: string): Promise<Answer | undefined> {
    const form = { grant_type: 'refresh_token', refresh_token: token };
    return this.step('refresh', node, token, '/token', form);
  }

  revoke(node: number, token: string): Promise<Answer | undefined> {
    return this.step('revoke', node, token, '/token/revoke', { token });
  }

  /** Uses each refresh token once, and repeats at another gateway what was not answered. */
  private async patient(client: number): Promise<void> {
    let pair: Pair | undefined;
    let node = client;
    await this.repeat(async () => {
      node = (node + 1) % this.urls().length;
      pair ??= await this.login(node);
      if (pair === undefined) return;
      this.alive.set(client, pair.refresh);
      const answer = await this.refresh(node, pair.refresh);
      if (answer?.status === 200) this.alive.set(client, (pair = pairOf(answer)).refresh);
      else if (answer === undefined || answer.status >= 500 || this.isWrong(node))
        await sleep(RETRY_MS);
      else {
        this.lost.push(verdictOf(answer));
        pair = undefined;
      }
    });
  }

  /** Uses each refresh token at all gateways at the same time. */
  private racer(): Promise<void> {
    return this.repeat(async () => {
      const pair = await this.login(0);
      if (pair === undefined) return;
      await Promise.all(this.urls().map((_url, node) => this.refresh(node, pair.refresh)));
    });
  }

  /** Revokes at one gateway, and asks the others. */
  private async revoker(): Promise<void> {
    let round = 0;
    const revoked: string[] = [];
    await this.repeat(async () => {
      const node = round++ % this.urls().length;
      const pair = await this.login(node);
      if (pair === undefined) return;
      const answer = await this.revoke(node, pair.access);
      if (answer?.status === 200) revoked.push(pair.access);
      const other = (node + 1) % this.urls().length;
      for (const token of revoked.slice(-20)) await this.check(other, token);
    });
  }

  private async repeat(act: () => Promise<void>): Promise<void> {
    while (!this.ending.signal.aborted) {
      await act();
      await sleep(PAUSE_MS);
    }
  }

  private async step(
    what: Step['what'],
    node: number,
    token: string,
    path: string,
    form?: Record<string, string>,
  ): Promise<Answer | undefined> {
    const base = this.urls()[node] ?? '';
    const began = performance.now();
    const record = (verdict: string, next?: string): void => {
      const ended = performance.now();
      this.steps.push({ what, node, began, ended, verdict, token, ...(next ? { next } : {}) });
    };
    try {
      const answer = await call(`${base}${path}`, {
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(form === undefined
          ? { headers: { authorization: `Bearer ${token}` } }
          : { method: 'POST', body: new URLSearchParams(form), headers: { origin: base } }),
      });
      const isRefresh = what === 'refresh' && answer.status === 200;
      record(verdictOf(answer), isRefresh ? pairOf(answer).refresh : undefined);
      return answer;
    } catch (error) {
      record(`no answer: ${(error as Error).name}`);
      return undefined;
    }
  }
}

/** Tokens of refreshes that were answered with different tokens: two winners. */
export function twoWinners(steps: readonly Step[]): string[] {
  const answers = new Map<string, Set<string>>();
  for (const { what, token, next } of steps)
    if (what === 'refresh' && next !== undefined)
      answers.set(token, (answers.get(token) ?? new Set()).add(next));
  return [...answers].flatMap(([token, { size }]) => (size > 1 ? [token] : []));
}

/**
 * Checks that accepted a token whose revocation was confirmed, and that the gateway had `graceMs` to learn of.
 *
 * @param away when it could not, e.g. because the store was away
 */
export function acceptedLate(
  steps: readonly Step[],
  graceMs: number,
  away: { from: number; to: number },
): Step[] {
  const revoked = new Map<string, number>();
  for (const { what, verdict, token, ended } of steps)
    if (what === 'revoke' && verdict === '200') revoked.set(token, ended);
  return steps.filter(({ what, verdict, token, began }) => {
    const since = revoked.get(token);
    if (what !== 'check' || verdict !== '200' || since === undefined) return false;
    const missed = Math.max(0, Math.min(began, away.to) - Math.max(since, away.from));
    return began - since - missed > graceMs;
  });
}

/** Access tokens whose revocation was confirmed. */
export const confirmedRevoked = (steps: readonly Step[]): string[] =>
  steps.flatMap(({ what, verdict, token }) =>
    what === 'revoke' && verdict === '200' ? [token] : [],
  );

/** Refresh tokens whose successor was used: whoever uses them again has stolen them. */
export function superseded(steps: readonly Step[]): string[] {
  const used = new Set(steps.flatMap(({ next, token }) => (next === undefined ? [] : [token])));
  return [
    ...new Set(
      steps.flatMap(({ token, next }) => (next !== undefined && used.has(next) ? [token] : [])),
    ),
  ];
}
