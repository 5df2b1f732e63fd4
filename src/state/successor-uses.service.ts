import { toNumber } from '../core/json/index.js';
import { tokenDigest } from '../core/revocation/index.js';
import type { TokenUses } from '../core/verify/index.js';
import { epochSeconds } from '../core/time/index.js';
import type { StateStore } from './state-store.js';

/** Seconds by which the clocks of the gateways that share a store may differ. */
const SKEW = 5;
/** A request waits no longer for a store that hangs. */
const WAIT_MS = 100;
/** Tokens that are not told to the store again, at about 150 bytes each. */
const MAX_KNOWN = 10_000;

const keptName = (signingInput: string): string => `used:${tokenDigest({ signingInput })}`;
const inputOf = (token: string): string => token.slice(0, token.lastIndexOf('.'));

type Claims = Readonly<Record<string, unknown>>;

/**
 * Which tokens were used soon after they were issued, in the store that all gateways share. A refresh may be
 * repeated until a token that it gave was used: whoever used one has got the answer.
 *
 * A token that is older than the window costs a comparison. A younger one is told to the store once.
 */
export class SuccessorUses implements TokenUses {
  private seconds = 0;
  /** By name of the token; the oldest one makes room. */
  private readonly known = new Map<string, Promise<void>>();

  constructor(private readonly store: StateStore) {}

  /** From now on uses are noted. @param seconds in which a refresh may be repeated; 0: none are noted */
  watch(seconds: number): void {
    this.seconds = seconds;
  }

  /** True where the use of a token that is issued now would be noted: by its `iat`, where it has one. */
  willSee({ iat }: Claims): boolean {
    return iat === undefined || (toNumber(iat) ?? -Infinity) >= this.now() - SKEW;
  }

  /**
   * Notes the use of a token that was issued here, if it is young enough to be a successor.
   *
   * @returns `undefined` where there is nothing to wait for; the promise never rejects
   */
  note(token: string, { sid, iat }: Claims): Promise<void> | undefined {
    if (this.seconds === 0 || typeof sid !== 'string') return undefined;
    const age = this.now() - (toNumber(iat) ?? -Infinity);
    if (!(age <= this.seconds + 2 * SKEW)) return undefined;
    const name = keptName(inputOf(token));
    return this.known.get(name) ?? this.tell(name);
  }

  /** Whether one of these tokens was used, at a route or for a refresh. @throws StateUnavailableException */
  async wereUsed(tokens: readonly string[]): Promise<boolean> {
    const uses = tokens.map(async (token) => {
      const signingInput = inputOf(token);
      const use = { id: tokenDigest({ signingInput }), expiresAt: 0, subject: { names: [] } };
      return (
        (await this.store.getKept(keptName(signingInput))) !== undefined ||
        (await this.store.peek(use)).state !== 'fresh'
      );
    });
    return (await Promise.all(uses)).includes(true);
  }

  /** Seconds since 1970, by the clock that the window is kept by: the store's. */
  private now(): number {
    return this.store.clock?.earliest ?? epochSeconds();
  }

  private tell(name: string): Promise<void> {
    const { known } = this;
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    const told = this.store
      .putIfAbsent(name, '', (this.seconds + SKEW) * 1000)
      .then(() => undefined)
      // The next use tells it; whoever has to know asks the store, and fails as well.
      .catch(() => void known.delete(name));
    const waited = within(told, WAIT_MS);
    known.set(name, waited);
    return waited;
  }
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
