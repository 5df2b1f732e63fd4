import { toNumber } from '../core/json/index.js';
import { tokenDigest } from '../core/revocation/index.js';
import type { TokenUses } from '../core/verify/index.js';
import { epochSeconds } from '../core/time/index.js';
import type { StateStore } from './state-store.js';

/** Seconds by which the clocks of the gateways that share a store may differ. */
const SKEW = 5;
/** Longest time that a request waits for the store, in milliseconds. */
const WAIT_MS = 100;
/** Number of tokens, at about 150 bytes each, that this process remembers so as not to tell the store again. */
const MAX_KNOWN = 10_000;

const keptName = (signingInput: string): string => `used:${tokenDigest({ signingInput })}`;
const inputOf = (token: string): string => token.slice(0, token.lastIndexOf('.'));

type Claims = Readonly<Record<string, unknown>>;

/**
 * Notes in the shared store which tokens were used soon after they were issued. A refresh may be repeated until one of
 * the tokens that it gave is used, since that proves that the client got the answer.
 *
 * The check of a token that is older than the window costs a comparison. The use of a younger token is written to the
 * store once.
 */
export class SuccessorUses implements TokenUses {
  private seconds = 0;
  /** Writes to the store, by name of the token. Beyond the maximum the oldest one is dropped. */
  private readonly known = new Map<string, Promise<void>>();

  constructor(private readonly store: StateStore) {}

  /** Starts to note uses. @param seconds the window in which a refresh may be repeated; 0: no uses are noted */
  watch(seconds: number): void {
    this.seconds = seconds;
  }

  /**
   * True if the use of a token with these claims that is issued now would be noted: its `iat`, if any, must be current.
   */
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

  /** True if one of these tokens was used, at a route or for a refresh. @throws StateUnavailableException */
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

  /** Seconds since 1970 by the store's clock, which also measures the window. */
  private now(): number {
    return this.store.clock?.earliest ?? epochSeconds();
  }

  private tell(name: string): Promise<void> {
    const { known } = this;
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    const told = this.store
      .putIfAbsent(name, '', (this.seconds + SKEW) * 1000)
      .then(() => undefined)
      // The next use of the token tries again. A repeated refresh reads the store, and fails as well while it is away.
      .catch(() => void known.delete(name));
    const waited = atMost(told, WAIT_MS);
    known.set(name, waited);
    return waited;
  }
}

async function atMost(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
