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
import { WordArena, type Ref } from './word-arena.js';

/** What identifies an entry. */
type EntryName = Pick<Revocation, 'id' | 'kind' | 'value'>;

/**
 * Positions of the words of a record. The value is followed by `before`, if there is one, and by the reason, if it has
 * no number.
 */
const HEAD = 0;
const NEXT = 1;
const EXPIRES = 2;
const CREATED = 3;
const ID = 4;
const VALUE = 8;
/** Marks the end of a bucket's list of records. */
const NONE: Ref = 0;
/** Stands for `null` ("no limit"): it is later than every time. */
const FOREVER = 0xffff_ffff;

/** Average number of entries in a bucket. */
const PER_BUCKET = 2;

/**
 * Bits of the head: kind and form of the value, whether there is a `before`, the number of the reason, and the mark.
 */
const NAME_BITS = 0xf;
const HAS_BEFORE = 0x10;
const REASON_SHIFT = 8;
const REASON_BITS = 0xff;
const MARK_SHIFT = 16;
const LAST_MARK = 0x7fff;
const NO_REASON = 0;
const NO_WORDS = new Uint32Array(0);
/** Stands in place of a number if the record itself contains the reason, because all numbers are taken. */
const OWN_REASON = 255;

/**
 * Revocations in memory, for one question: is a token with this claim revoked? One look-up in a hash table answers it,
 * however many revocations there are. Millions of them must neither fill the memory nor keep the garbage collector
 * busy. So an entry takes 2 bytes in the table, 32 bytes in an arena, and the bytes of its value there: 32 for a
 * digest, 16 for a UUID, 12 for the name of a login.
 *
 * The table grows bucket by bucket (linear hashing), so that no request has to wait for the growth.
 */
export class RevocationIndex {
  private readonly arena = new WordArena();
  /** One word per bucket, from 1 on: the place of its first record. */
  private readonly buckets = new WordArena();
  /** Number of buckets at the start of this round of growth. The first `split` of them have been divided already. */
  private base = 1;
  private split = 0;
  private readonly counts: Record<RevocationKind, number> = { jti: 0, sub: 0, sid: 0, kid: 0 };
  /** Reasons; the number of a reason is its index plus one. Most entries have one of a few reasons. */
  private readonly reasons: string[] = [];
  private readonly seed = randomInt(2 ** 32);
  private swept = 0;
  /** The mark of entries that were added since {@link beginMarking}. */
  private currentMark = 0;

  /** @param now returns the present time, in seconds since 1970 */
  constructor(private readonly now = epochSeconds) {
    this.addBucket();
  }

  get size(): number {
    const { jti, sub, sid, kid } = this.counts;
    return jti + sub + sid + kid;
  }

  /** Number of entries of each kind. */
  get sizes(): Readonly<Record<RevocationKind, number>> {
    return { ...this.counts };
  }

  /** True if there are entries of a kind. */
  hasKind(kind: RevocationKind): boolean {
    return this.counts[kind] > 0;
  }

  /** True if a token with this claim is revoked. @param time see `timeOf` */
  isRevoked(kind: RevocationKind, value: string, time: number | undefined): boolean {
    const name = encodeName(kind, value);
    for (let ref = this.first(name); ref !== NONE; ref = this.arena.get(ref + NEXT)) {
      if (!this.isNamed(ref, name) || this.isExpired(ref, this.now())) continue;
      const before = this.beforeOf(ref);
      if (before === FOREVER || time === undefined || time < before) return true;
    }
    return false;
  }

  /** Adds an entry, or marks it if it is there already. */
  add(revocation: Revocation): void {
    const { id, kind, value } = revocation;
    const words = idWords(id);
    const name = encodeName(kind, value);
    const there = this.find(words, name);
    if (there !== NONE) return this.mark(there);
    this.link(this.write(words, name, revocation), this.bucketOf(name));
    this.counts[kind]++;
    if (this.size > PER_BUCKET * (this.base + this.split)) this.grow();
  }

  /** Removes an entry; others that name the same value stay. */
  remove({ id, kind, value }: EntryName): void {
    const words = idWords(id);
    const name = encodeName(kind, value);
    this.unlink(this.bucketOf(name), (ref) => this.hasId(ref, words) && this.isNamed(ref, name));
  }

  /**
   * Drops the entries that had expired at `horizon` (seconds since 1970) from the next `count` buckets. Repeated calls
   * go through all buckets.
   */
  sweep(count: number, horizon: number): void {
    for (let visited = 0; visited < count; visited++) {
      this.unlink(1 + this.swept, (ref) => this.isExpired(ref, horizon));
      this.swept = (this.swept + 1) % (this.base + this.split);
    }
  }

  /** All entries. Entries that are added or removed meanwhile may be included or not. */
  *entries(): Generator<Revocation> {
    for (const ref of this.refs()) yield this.at(ref);
  }

  /** Begins to mark the entries that are added, or added again. */
  beginMarking(): void {
    if (this.currentMark === LAST_MARK) {
      this.currentMark = 0;
      for (const ref of this.refs()) this.mark(ref);
    }
    this.currentMark++;
  }

  /** Marks an entry as {@link add} does. An entry that was removed meanwhile is ignored. */
  markAgain({ id, kind, value }: EntryName): void {
    const ref = this.find(idWords(id), encodeName(kind, value));
    if (ref !== NONE) this.mark(ref);
  }

  /** The entries that were there when marking began and were not added again since; see {@link entries}. */
  *unmarked(): Generator<Revocation> {
    for (const ref of this.refs())
      if (this.arena.get(ref + HEAD) >>> MARK_SHIFT !== this.currentMark) yield this.at(ref);
  }

  private mark(ref: Ref): void {
    const head = this.arena.get(ref + HEAD) & ((1 << MARK_SHIFT) - 1);
    this.arena.set(ref + HEAD, head | (this.currentMark << MARK_SHIFT));
  }

  private refs(): Generator<Ref> {
    return this.arena.records((ref) => this.lengthOf(ref));
  }

  private at(ref: Ref): Revocation {
    const { arena } = this;
    const name = arena.words(ref + VALUE, this.nameLength(ref));
    const [kind, value] = decodeName(arena.get(ref + HEAD), name);
    const before = this.beforeOf(ref);
    const expires = arena.get(ref + EXPIRES);
    return {
      id: writeUuid(arena.words(ref + ID, VALUE - ID)),
      kind,
      value,
      before: before === FOREVER ? null : before,
      reason: this.reasonOf(ref),
      createdAt: arena.get(ref + CREATED),
      expiresAt: expires === FOREVER ? null : expires,
    };
  }

  private write(
    id: Uint32Array,
    { head, words }: Name,
    { before, expiresAt, createdAt, reason }: Revocation,
  ): Ref {
    const { arena } = this;
    const limit = toWord(before);
    const number = this.numberOf(reason);
    const own = number === OWN_REASON ? encodeText(reason as string) : NO_WORDS;
    const end = VALUE + words.length + (limit === FOREVER ? 0 : 1);
    const ref = arena.allocate(end + own.length);
    const has = limit === FOREVER ? 0 : HAS_BEFORE;
    arena.set(ref + HEAD, head | has | (number << REASON_SHIFT) | (this.currentMark << MARK_SHIFT));
    arena.set(ref + EXPIRES, toWord(expiresAt));
    arena.set(ref + CREATED, toWord(createdAt));
    arena.write(ref + ID, id);
    arena.write(ref + VALUE, words);
    if (limit !== FOREVER) arena.set(ref + end - 1, limit);
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
    const number = this.reasonNumber(ref);
    if (number !== OWN_REASON) return this.reasons[number - 1];
    return decodeText(this.arena.words(ref + this.reasonAt(ref), this.ownReasonLength(ref)));
  }

  private reasonNumber(ref: Ref): number {
    return (this.arena.get(ref + HEAD) >>> REASON_SHIFT) & REASON_BITS;
  }

  private beforeOf(ref: Ref): number {
    return this.hasBefore(ref) ? this.arena.get(ref + VALUE + this.nameLength(ref)) : FOREVER;
  }

  private hasBefore(ref: Ref): boolean {
    return (this.arena.get(ref + HEAD) & HAS_BEFORE) !== 0;
  }

  /** Number of words of a record. */
  private lengthOf(ref: Ref): number {
    return this.reasonAt(ref) + this.ownReasonLength(ref);
  }

  /** Position of the reason in a record: the number of words before it. */
  private reasonAt(ref: Ref): number {
    return VALUE + this.nameLength(ref) + (this.hasBefore(ref) ? 1 : 0);
  }

  private ownReasonLength(ref: Ref): number {
    if (this.reasonNumber(ref) !== OWN_REASON) return 0;
    return textWords(this.arena.get(ref + this.reasonAt(ref)));
  }

  private nameLength(ref: Ref): number {
    return nameWords(this.arena.get(ref + HEAD), this.arena.get(ref + VALUE));
  }

  private link(ref: Ref, bucket: Ref): void {
    this.arena.set(ref + NEXT, this.buckets.get(bucket));
    this.buckets.set(bucket, ref);
  }

  private unlink(bucket: Ref, matches: (ref: Ref) => boolean): void {
    const { arena } = this;
    let previous = NONE;
    let next: Ref;
    for (let ref = this.buckets.get(bucket); ref !== NONE; ref = next) {
      next = arena.get(ref + NEXT);
      if (!matches(ref)) {
        previous = ref;
        continue;
      }
      this.counts[REVOCATION_KINDS[arena.get(ref + HEAD) & 3] as RevocationKind]--;
      arena.free(ref, this.lengthOf(ref));
      if (previous === NONE) this.buckets.set(bucket, next);
      else arena.set(previous + NEXT, next);
    }
  }

  private find(id: Uint32Array, name: Name): Ref {
    let ref = this.first(name);
    while (ref !== NONE && !(this.hasId(ref, id) && this.isNamed(ref, name)))
      ref = this.arena.get(ref + NEXT);
    return ref;
  }

  private first(name: Name): Ref {
    return this.buckets.get(this.bucketOf(name));
  }

  private bucketOf({ head, words }: Name): Ref {
    let hashed = this.seed ^ head;
    for (let index = 0; index < words.length; index++) hashed = mix(hashed, words[index] as number);
    hashed = finish(hashed);
    const low = hashed & (this.base - 1);
    return 1 + (low < this.split ? hashed & (2 * this.base - 1) : low);
  }

  /** Divides one bucket into two. */
  private grow(): void {
    const { arena, buckets, base } = this;
    const divided = 1 + this.split;
    const added = this.addBucket();
    if (++this.split === base) {
      this.base *= 2;
      this.split = 0;
    }
    let next = buckets.get(divided);
    buckets.set(divided, NONE);
    while (next !== NONE) {
      const ref = next;
      next = arena.get(ref + NEXT);
      this.link(ref, (this.hashAt(ref) & base) === 0 ? divided : added);
    }
  }

  private addBucket(): Ref {
    const bucket = this.buckets.allocate(1);
    this.buckets.set(bucket, NONE);
    return bucket;
  }

  /** Hash of a record, computed as in {@link bucketOf}. */
  private hashAt(ref: Ref): number {
    const { arena } = this;
    const end = ref + VALUE + this.nameLength(ref);
    let hashed = this.seed ^ (arena.get(ref + HEAD) & NAME_BITS);
    for (let at = ref + VALUE; at < end; at++) hashed = mix(hashed, arena.get(at));
    return finish(hashed);
  }

  private hasId(ref: Ref, words: Uint32Array): boolean {
    return this.arena.holds(ref + ID, words);
  }

  private isNamed(ref: Ref, { head, words }: Name): boolean {
    return (
      (this.arena.get(ref + HEAD) & NAME_BITS) === head && this.arena.holds(ref + VALUE, words)
    );
  }

  private isExpired(ref: Ref, now: number): boolean {
    const expires = this.arena.get(ref + EXPIRES);
    return expires !== FOREVER && expires <= now;
  }
}

/** Seconds as a word, rounded up: a later `before` or `expiresAt` revokes more. */
const toWord = (seconds: number | null): number =>
  seconds === null || Number.isNaN(seconds)
    ? FOREVER
    : Math.min(FOREVER, Math.max(0, Math.ceil(seconds)));

/** The 128 bits of a UUID; for any other id, the first 128 bits of its SHA-256 digest. */
function idWords(id: string): Uint32Array {
  const words = new Uint32Array(4);
  if (id.length === 36 && (readUuid(id, words) || readUuid(id.toLowerCase(), words))) return words;
  const hex = hash('sha256', id, 'hex');
  return words.map((_word, index) => Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16));
}

// MurmurHash3. The seed is random, so a client that chooses values cannot direct them into one bucket.

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
