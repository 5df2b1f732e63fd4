/** Most uses whose answer has arrived and which the server has not been told of; the oldest makes room. */
const MAX_UNSETTLED = 10_000;
/** Most of these uses that the server is told of at a time. */
const SETTLED_AT_ONCE = 500;

/** Tells the server for which uses of refresh tokens the answer has arrived. */
export class SettledUses {
  /** The nonces of these uses, by id of the use. */
  private readonly unsettled = new Map<string, string>();
  private settling: Promise<void> | undefined;

  /** @param tell tells the server of these uses: their ids and nonces */
  constructor(
    private readonly tell: (ids: readonly string[], nonces: readonly string[]) => Promise<unknown>,
  ) {}

  /** Notes that the answer about a use has arrived. */
  note(id: string, nonce: string): void {
    if (this.unsettled.size >= MAX_UNSETTLED)
      this.unsettled.delete(this.unsettled.keys().next().value as string);
    this.unsettled.set(id, nonce);
    this.settle();
  }

  /** Tells the server of the uses that it was not told of yet. Does not wait for it; the next call tries again. */
  settle(): void {
    if (this.unsettled.size === 0) return;
    this.settling ??= this.settleAll()
      .catch(() => undefined)
      .finally(() => (this.settling = undefined));
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await this.settling;
  }

  private async settleAll(): Promise<void> {
    while (this.unsettled.size > 0) {
      const some = [...this.unsettled.entries().take(SETTLED_AT_ONCE)];
      await this.tell(
        some.map(([id]) => id),
        some.map(([, nonce]) => nonce),
      );
      for (const [id] of some) this.unsettled.delete(id);
    }
  }
}
