/** The number of a row of a {@link SlotTable}. */
export type Slot = number;

/** No slot. */
export const NONE: Slot = 0xffff_ffff;

const CHUNK_BITS = 12;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;

/**
 * Rows of 32-bit words outside of the garbage collector's sight. Freed rows are used again; the
 * table grows by pieces, so no growth copies what is there.
 */
export class SlotTable {
  private readonly chunks: Uint32Array[] = [];
  private used = 0;
  /** First of the freed rows; each holds the number of the next one in its first word. */
  private freed: Slot = NONE;
  private count = 0;

  /** @param words words of a row */
  constructor(private readonly words: number) {}

  /** Rows in use. */
  get size(): number {
    return this.count;
  }

  /** Rows that are or were in use; their numbers are below. */
  get rows(): number {
    return this.used;
  }

  get(slot: Slot, word: number): number {
    return this.chunk(slot)[(slot & CHUNK_MASK) * this.words + word] as number;
  }

  set(slot: Slot, word: number, value: number): void {
    this.chunk(slot)[(slot & CHUNK_MASK) * this.words + word] = value;
  }

  /** A row whose words may hold anything. */
  allocate(): Slot {
    this.count++;
    if (this.freed !== NONE) {
      const slot = this.freed;
      this.freed = this.get(slot, 0);
      return slot;
    }
    if (this.used >> CHUNK_BITS === this.chunks.length)
      this.chunks.push(new Uint32Array(this.words << CHUNK_BITS));
    return this.used++;
  }

  free(slot: Slot): void {
    this.count--;
    this.set(slot, 0, this.freed);
    this.freed = slot;
  }

  private chunk(slot: Slot): Uint32Array {
    return this.chunks[slot >>> CHUNK_BITS] as Uint32Array;
  }
}
