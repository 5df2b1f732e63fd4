import { hash, randomInt } from 'node:crypto';
import {
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
} from '../../core/revocation/index.js';
import { epochSeconds } from '../../core/time/index.js';
import {
  decodeName,
  decodeText,
  encodeName,
  encodeText,
  nameWords,
  readUuid,
  textWords,
  writeUuid,
  type Name,
} from './revocation-record.js';
import { NONE, SlotTable, type Slot } from './slot-table.js';
import { WordArena, type Ref } from './word-arena.js';

/** What identifies an entry. */
type EntryName = Pick<Revocation, 'id' | 'kind' | 'value'>;

/** Words of a slot. `REF` is 0 in a free one. */
const ID = 0;
const EXPIRES = 4;
const CREATED = 5;
const NEXT = 6;
const REF = 7;
const WORDS = 8;
/** Stands for no limit: every time is before it, and nothing lives that long. */
const FOREVER = 0xffff_ffff;

/** Entries of a bucket, on average. */
const PER_BUCKET = 2;

/** Kind and form of the head of a record; above them stands whether it has a `before`, and its reason. */
const NAME_BITS = 0xf;
const HAS_BEFORE = 0x10;
const REASON_SHIFT = 8;
const NO_REASON = 0;
const NO_WORDS = new Uint32Array(0);
/** The reason stands behind the value: there are more than are numbered. */
const OWN_REASON = 255;

/**
 * Revocations in memory, for one question: is a token with this claim revoked? One look into a hash table answers it,
 * however many there are. Millions of them must neither fill the memory nor keep the garbage collector busy, so an
 * entry is 34 bytes in tables, and its value in an arena: 36 bytes for a digest, 20 for a UUID, 16 for the name of a
 * login.
 *
 * The table grows bucket by bucket (linear hashing), so that no growth holds anybody up.
 */
export class RevocationIndex {
  private readonly slots = new SlotTable(WORDS);
  private readonly arena = new WordArena();
  /** Row 0 of each: the first entry of the bucket. */
  private readonly buckets = new SlotTable(1);
  /** Buckets of the whole round; those below `split` have been divided already. */
  private base = 1;
  private split = 0;
  private readonly counts: Record<RevocationKind, number> = { jti: 0, sub: 0, sid: 0, kid: 0 };
  /** Reasons by their number, less one; most are one of a few. */
  private readonly reasons: string[] = [];
  private readonly seed = randomInt(2 ** 32);
  private swept = 0;
  /** While a history is read: a bit for each slot whose entry the store has. */
  private marks: Uint8Array | undefined;

  /** @param now the clock to go by, in seconds since 1970 */
  constructor(private readonly now = epochSeconds) {
    this.addBucket();
  }

  get size(): number {
    return this.slots.size;
  }

  /** Entries of each kind. */
  get sizes(): Readonly<Record<RevocationKind, number>> {
    return { ...this.counts };
  }

  /** Whether there are entries of a kind at all. */
  hasKind(kind: RevocationKind): boolean {
    return this.counts[kind] > 0;
  }

  /** Whether a token that carries `value` is revoked. @param time see `timeOf` */
  isRevoked(kind: RevocationKind, value: string, time: number | undefined): boolean {
    const name = encodeName(kind, value);
    for (let slot = this.first(name); slot !== NONE; slot = this.slots.get(slot, NEXT)) {
      if (!this.isNamed(slot, name) || this.isExpired(slot, this.now())) continue;
      const before = this.beforeOf(this.slots.get(slot, REF));
      if (before === FOREVER || time === undefined || time < before) return true;
    }
    return false;
  }

  /** Adds an entry unless it is there. */
  add({ id, kind, value, before, expiresAt, createdAt, reason }: Revocation): void {
    const { slots } = this;
    const words = idWords(id);
    const name = encodeName(kind, value);
    const there = this.find(words, name);
    if (there !== NONE) return this.mark(there);
    const bucket = this.bucketOf(name);
    const first = this.buckets.get(bucket, 0);
    const added = slots.allocate();
    for (let index = 0; index < words.length; index++)
      slots.set(added, ID + index, words[index] as number);
    slots.set(added, EXPIRES, toWord(expiresAt));
    slots.set(added, CREATED, toWord(createdAt));
    slots.set(added, NEXT, first);
    slots.set(added, REF, this.write(name, toWord(before), reason));
    this.buckets.set(bucket, 0, added);
    this.counts[kind]++;
    this.mark(added);
    if (this.size > PER_BUCKET * (this.base + this.split)) this.grow();
  }

  /** Removes an entry; others that name the same value stay. */
  remove({ id, kind, value }: EntryName): void {
    const words = idWords(id);
    const name = encodeName(kind, value);
    this.unlink(this.bucketOf(name), (slot) => this.hasId(slot, words) && this.isNamed(slot, name));
  }

  /**
   * Drops what had expired at `horizon` (seconds since 1970) among about the next `count` entries; call after call goes
   * through all of them.
   */
  sweep(count: number, horizon: number): void {
    for (let visited = 0; visited < count; visited++) {
      this.unlink(this.swept, (slot) => this.isExpired(slot, horizon));
      this.swept = (this.swept + 1) % (this.base + this.split);
    }
  }

  /** All entries. Those that are added or removed meanwhile may be among them or not. */
  *entries(): Generator<Revocation> {
    for (let slot = 0; slot < this.slots.rows; slot++) {
      const revocation = this.at(slot);
      if (revocation !== undefined) yield revocation;
    }
  }

  /** From now on it is noted which entries are added, or added again. */
  beginMarking(): void {
    this.marks = new Uint8Array(Math.ceil(this.slots.rows / 8));
  }

  /** Notes that the store has an entry, as {@link add}; of one that is not there any more, nothing. */
  markAgain({ id, kind, value }: EntryName): void {
    const slot = this.find(idWords(id), encodeName(kind, value));
    if (slot !== NONE) this.mark(slot);
  }

  endMarking(): void {
    this.marks = undefined;
  }

  /** The entries that were there when marking began and have not been added since; as {@link entries}. */
  *unmarked(): Generator<Revocation> {
    for (let slot = 0; slot < (this.marks?.length ?? 0) * 8; slot++) {
      if (slot >= this.slots.rows || this.isMarked(slot)) continue;
      const revocation = this.at(slot);
      if (revocation !== undefined) yield revocation;
    }
  }

  private mark(slot: Slot): void {
    const byte = this.marks?.[slot >>> 3];
    // Those beyond are new.
    if (this.marks !== undefined && byte !== undefined)
      this.marks[slot >>> 3] = byte | (1 << (slot & 7));
  }

  private isMarked(slot: Slot): boolean {
    return (((this.marks?.[slot >>> 3] ?? 0xff) >>> (slot & 7)) & 1) === 1;
  }

  private at(slot: Slot): Revocation | undefined {
    const word = (index: number): number => this.slots.get(slot, index);
    const ref = word(REF);
    if (ref === 0) return undefined;
    const head = this.arena.get(ref);
    const length = this.nameLength(ref);
    const before = this.beforeOf(ref);
    const [kind, value] = decodeName(head, this.arena.words(ref + 1, length));
    return {
      id: writeUuid(Uint32Array.of(word(ID), word(ID + 1), word(ID + 2), word(ID + 3))),
      kind,
      value,
      before: before === FOREVER ? null : before,
      reason: this.reasonOf(ref),
      createdAt: word(CREATED),
      expiresAt: word(EXPIRES) === FOREVER ? null : word(EXPIRES),
    };
  }

  /** A record: its head, the value, `before` where there is one, and the reason where its number does not say it. */
  private write({ head, words }: Name, before: number, reason: string | undefined): Ref {
    const { arena } = this;
    const number = this.numberOf(reason);
    const own = number === OWN_REASON ? encodeText(reason as string) : NO_WORDS;
    const end = 1 + words.length + (before === FOREVER ? 0 : 1);
    const ref = arena.allocate(end + own.length);
    arena.set(ref, head | (before === FOREVER ? 0 : HAS_BEFORE) | (number << REASON_SHIFT));
    arena.write(ref + 1, words);
    if (before !== FOREVER) arena.set(ref + end - 1, before);
    arena.write(ref + end, own);
    return ref;
  }

  private numberOf(reason: string | undefined): number {
    if (reason === undefined) return NO_REASON;
    let index = this.reasons.indexOf(reason);
    if (index === -1 && this.reasons.length < OWN_REASON - 1) index = this.reasons.push(reason) - 1;
    return index === -1 ? OWN_REASON : index + 1;
  }

  private reasonOf(ref: Ref): string | undefined {
    const number = this.arena.get(ref) >>> REASON_SHIFT;
    if (number !== OWN_REASON) return this.reasons[number - 1];
    const start = ref + this.reasonAt(ref);
    return decodeText(this.arena.words(start, textWords(this.arena.get(start))));
  }

  private beforeOf(ref: Ref): number {
    const has = (this.arena.get(ref) & HAS_BEFORE) !== 0;
    return has ? this.arena.get(ref + 1 + this.nameLength(ref)) : FOREVER;
  }

  /** Words of a record without its reason. */
  private reasonAt(ref: Ref): number {
    return 1 + this.nameLength(ref) + ((this.arena.get(ref) & HAS_BEFORE) === 0 ? 0 : 1);
  }

  private nameLength(ref: Ref): number {
    return nameWords(this.arena.get(ref), this.arena.get(ref + 1));
  }

  private release(slot: Slot): void {
    const ref = this.slots.get(slot, REF);
    const head = this.arena.get(ref);
    const name = this.reasonAt(ref);
    const own = head >>> REASON_SHIFT === OWN_REASON ? textWords(this.arena.get(ref + name)) : 0;
    this.counts[REVOCATION_KINDS[head & 3] as RevocationKind]--;
    this.arena.free(ref, name + own);
    this.slots.set(slot, REF, 0);
    this.slots.free(slot);
  }

  private unlink(bucket: number, matches: (slot: Slot) => boolean): void {
    const { slots } = this;
    let previous: Slot = NONE;
    let next: Slot;
    for (let slot = this.buckets.get(bucket, 0); slot !== NONE; slot = next) {
      next = slots.get(slot, NEXT);
      if (!matches(slot)) {
        previous = slot;
        continue;
      }
      this.release(slot);
      if (previous === NONE) this.buckets.set(bucket, 0, next);
      else slots.set(previous, NEXT, next);
    }
  }

  private find(words: Uint32Array, name: Name): Slot {
    let slot = this.first(name);
    while (slot !== NONE && !(this.hasId(slot, words) && this.isNamed(slot, name)))
      slot = this.slots.get(slot, NEXT);
    return slot;
  }

  private first(name: Name): Slot {
    return this.buckets.get(this.bucketOf(name), 0);
  }

  private bucketOf({ head, words }: Name): number {
    let hashed = this.seed ^ head;
    for (let index = 0; index < words.length; index++) hashed = mix(hashed, words[index] as number);
    hashed = finish(hashed);
    const low = hashed & (this.base - 1);
    return low < this.split ? hashed & (2 * this.base - 1) : low;
  }

  /** Divides one bucket into two. */
  private grow(): void {
    const { slots, buckets, split, base } = this;
    const added = this.addBucket();
    if (++this.split === base) {
      this.base *= 2;
      this.split = 0;
    }
    let slot = buckets.get(split, 0);
    buckets.set(split, 0, NONE);
    while (slot !== NONE) {
      const next = slots.get(slot, NEXT);
      const ref = slots.get(slot, REF);
      const bucket = (this.hashAt(ref) & base) === 0 ? split : added;
      slots.set(slot, NEXT, buckets.get(bucket, 0));
      buckets.set(bucket, 0, slot);
      slot = next;
    }
  }

  private addBucket(): number {
    const bucket = this.buckets.allocate();
    this.buckets.set(bucket, 0, NONE);
    return bucket;
  }

  /** As {@link bucketOf} of its name. */
  private hashAt(ref: Ref): number {
    const { arena } = this;
    const end = ref + 1 + this.nameLength(ref);
    let hashed = this.seed ^ (arena.get(ref) & NAME_BITS);
    for (let at = ref + 1; at < end; at++) hashed = mix(hashed, arena.get(at));
    return finish(hashed);
  }

  private hasId(slot: Slot, words: Uint32Array): boolean {
    for (let index = 0; index < words.length; index++)
      if (this.slots.get(slot, ID + index) !== words[index]) return false;
    return true;
  }

  private isNamed(slot: Slot, { head, words }: Name): boolean {
    const ref = this.slots.get(slot, REF);
    if ((this.arena.get(ref) & NAME_BITS) !== head) return false;
    for (let index = 0; index < words.length; index++)
      if (this.arena.get(ref + 1 + index) !== words[index]) return false;
    return true;
  }

  private isExpired(slot: Slot, now: number): boolean {
    const expires = this.slots.get(slot, EXPIRES);
    return expires !== FOREVER && expires <= now;
  }
}

/** Seconds as a word, rounded to the stricter side. */
const toWord = (seconds: number | null): number =>
  seconds === null || Number.isNaN(seconds)
    ? FOREVER
    : Math.min(FOREVER, Math.max(0, Math.ceil(seconds)));

/** The 128 bits of a UUID; anything else is named by a digest. */
function idWords(id: string): Uint32Array {
  const words = new Uint32Array(4);
  if (id.length === 36 && (readUuid(id, words) || readUuid(id.toLowerCase(), words))) return words;
  const hex = hash('sha256', id, 'hex');
  return words.map((_word, index) => Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16));
}

// MurmurHash3. Whoever chooses values does not know the seed, and so not which ones meet in a bucket.

function mix(hashed: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e_2d51);
  mixed = (mixed << 15) | (mixed >>> 17);
  const next = hashed ^ Math.imul(mixed, 0x1b87_3593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe654_6b64) | 0;
}

function finish(hashed: number): number {
  let mixed = Math.imul(hashed ^ (hashed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
