/** Size of an entry beside its text, for name, times and the map, in characters. */
const OVERHEAD = 200;

/** Caches texts by name, each until its expiry, in bounded memory. The least recently used entry is removed first. */
export class AnswerCache {
  private readonly entries = new Map<string, { text: string; until: number }>();
  private size = 0;

  /** @param limit characters of all entries together; an entry takes 200 beside its text */
  constructor(private readonly limit: number) {}

  /** @param now milliseconds, by the same clock as `until` */
  get(name: string, now: number): string | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    this.delete(name);
    if (now >= entry.until) return undefined;
    this.add(name, entry);
    return entry.text;
  }

  /** @param until expiry in milliseconds, by any monotonic clock */
  set(name: string, text: string, until: number): void {
    this.delete(name);
    this.add(name, { text, until });
    for (const oldest of this.entries.keys()) {
      if (this.size <= this.limit) break;
      this.delete(oldest);
    }
  }

  private add(name: string, entry: { text: string; until: number }): void {
    this.entries.set(name, entry);
    this.size += entry.text.length + OVERHEAD;
  }

  private delete(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    this.entries.delete(name);
    this.size -= entry.text.length + OVERHEAD;
  }
}
