/** The place of a record in a {@link WordArena}; never 0. */
export type Ref = number;

const CHUNK_BITS = 16;
const CHUNK_WORDS = 1 << CHUNK_BITS;
/** Flag in the first word of a free record, beside its length. */
const FREE = 0x8000_0000;

/**
 * Records of 32-bit words in memory that the garbage collector does not scan. Each record is contiguous. A freed record
 * is used again for one of the same length, so records never move. The arena grows by chunks, so its growth copies
 * nothing. The highest bit of the first word of a record is 0.
 */
export class WordArena {
  private readonly chunks: Uint32Array[] = [];
  private next = 1;
  /** The first freed record of each length. Each one holds the place of the next one in its second word. */
  private readonly freed = new Map<number, Ref>();

  /** Allocates a record, whose words may hold anything. Records of one word follow each other without a gap. */
  allocate(words: number): Ref {
    const ref = this.freed.get(words);
    if (ref !== undefined) {
      const next = this.get(ref + 1);
      if (next === 0) this.freed.delete(words);
      else this.freed.set(words, next);
      return ref;
    }
    // No record begins in one chunk and ends in the next one, unless both chunks are of the same buffer.
    const left = this.chunks.length * CHUNK_WORDS - this.next;
    if (words > left) {
      if (left > 0) this.set(this.next, FREE | left);
      this.next = Math.max(1, this.chunks.length * CHUNK_WORDS);
      const count = Math.ceil((words + (this.next & (CHUNK_WORDS - 1))) / CHUNK_WORDS);
      const buffer = new Uint32Array(count * CHUNK_WORDS);
      for (let index = 0; index < count; index++)
        this.chunks.push(buffer.subarray(index * CHUNK_WORDS, (index + 1) * CHUNK_WORDS));
    }
    const placed = this.next;
    this.next += words;
    return placed;
  }

  /** @param words the length with which the record was allocated; at least 2 */
  free(ref: Ref, words: number): void {
    this.set(ref, FREE | words);
    this.set(ref + 1, this.freed.get(words) ?? 0);
    this.freed.set(words, ref);
  }

  /**
   * The records in use. Records that are allocated or freed meanwhile may be included or not.
   *
   * @param lengthOf returns the number of words of a record
   */
  *records(lengthOf: (ref: Ref) => number): Generator<Ref> {
    let next: Ref;
    for (let ref = 1; ref < this.next; ref = next) {
      const first = this.get(ref);
      next = ref + (first < FREE ? lengthOf(ref) : first - FREE);
      if (first < FREE) yield ref;
    }
  }

  /** The word at a place. */
  get(ref: Ref): number {
    return (this.chunks[ref >>> CHUNK_BITS] as Uint32Array)[ref & (CHUNK_WORDS - 1)] as number;
  }

  set(ref: Ref, word: number): void {
    (this.chunks[ref >>> CHUNK_BITS] as Uint32Array)[ref & (CHUNK_WORDS - 1)] = word;
  }

  /** Writes words, from a place in a record on. */
  write(ref: Ref, words: Uint32Array): void {
    for (let index = 0; index < words.length; index++)
      this.set(ref + index, words[index] as number);
  }

  /** True if a record holds these words, from a place in it on. */
  holds(ref: Ref, words: Uint32Array): boolean {
    for (let index = 0; index < words.length; index++)
      if (this.get(ref + index) !== words[index]) return false;
    return true;
  }

  /** A view of words of a record, not a copy. */
  words(ref: Ref, count: number): Uint32Array {
    const chunk = this.chunks[ref >>> CHUNK_BITS] as Uint32Array;
    const start = chunk.byteOffset + (ref & (CHUNK_WORDS - 1)) * 4;
    return new Uint32Array(chunk.buffer, start, count);
  }
}
