import { hash } from 'node:crypto';
import type { Revocation, RevocationKind } from '../core/revocation/index.js';
import { NONE, SlotTable, type Slot } from './slot-table.js';
import { epochSeconds } from '../core/time/index.js';

/** What identifies an entry. */
type EntryName = Pick<Revocation, 'id' | 'kind' | 'value'>;

/** Words of a slot. */
const ID = 0;
const BEFORE = 4;
const EXPIRES = 5;
const CREATED = 6;
const NEXT = 7;
const WORDS = 8;
/** Stands for no limit: every `iat` is before it, and nothing lives that long. */
const FOREVER = 0xffff_ffff;

/**
 * Revocations in memory, for one question: is a token with this claim revoked? One look into a
 * `Map` answers it, however many there are. A million of them must neither fill the memory nor keep
 * the garbage collector busy, so an entry is its value in the map and 32 bytes in a table.
 */
export class RevocationIndex {
  private readonly slots = new SlotTable(WORDS);
  /** By value: the first entry of the chain of those that name it, the strictest one first. */
  private readonly chains: Readonly<Record<RevocationKind, Map<string, Slot>>> = {
    jti: new Map(),
    sub: new Map(),
    sid: new Map(),
    kid: new Map(),
  };
  private sweeping: Iterator<readonly [RevocationKind, string, Slot]> | undefined;

  get size(): number {
    return this.slots.size;
  }

  /** Whether there are entries of a kind at all. */
  hasKind(kind: RevocationKind): boolean {
    return this.chains[kind].size > 0;
  }

  /** Whether a token that carries `value` is revoked. @param iat seconds since 1970 */
  isRevoked(kind: RevocationKind, value: string, iat: number | undefined): boolean {
    let slot = this.chains[kind].get(value);
    if (slot === undefined) return false;
    const now = epochSeconds();
    for (; slot !== NONE; slot = this.slots.get(slot, NEXT)) {
      if (this.isExpired(slot, now)) continue;
      const before = this.slots.get(slot, BEFORE);
      return before === FOREVER || iat === undefined || iat < before;
    }
    return false;
  }

  /** Adds an entry unless it is there. @returns its place, which stays its own until it is removed */
  add({ id, kind, value, before, expiresAt, createdAt }: Revocation): Slot {
    const { slots } = this;
    const chain = this.chains[kind];
    const words = idWords(id);
    const strictness = toWord(before);
    let previous: Slot = NONE;
    for (let slot = chain.get(value) ?? NONE; slot !== NONE; slot = slots.get(slot, NEXT)) {
      if (this.isNamed(slot, words)) return slot;
      if (slots.get(slot, BEFORE) >= strictness) previous = slot;
    }
    const added = slots.allocate();
    words.forEach((word, index) => slots.set(added, ID + index, word));
    slots.set(added, BEFORE, strictness);
    slots.set(added, EXPIRES, toWord(expiresAt));
    slots.set(added, CREATED, toWord(createdAt));
    slots.set(
      added,
      NEXT,
      previous === NONE ? (chain.get(value) ?? NONE) : slots.get(previous, NEXT),
    );
    if (previous === NONE) chain.set(value, added);
    else slots.set(previous, NEXT, added);
    return added;
  }

  /** Removes an entry; others that name the same value stay. */
  remove({ id, kind, value }: EntryName): void {
    const words = idWords(id);
    this.unlink(kind, value, (slot) => this.isNamed(slot, words));
  }

  /** Drops what has expired among the next `count` values; call after call goes through all of them. */
  sweep(count: number): void {
    const now = epochSeconds();
    this.sweeping ??= this.values();
    for (let visited = 0; visited < count; visited++) {
      const { done, value } = this.sweeping.next();
      if (done === true) {
        this.sweeping = undefined;
        return;
      }
      const [kind, name] = value;
      this.unlink(kind, name, (slot) => this.isExpired(slot, now));
    }
  }

  /** All entries with their places; without the reasons, which are not kept. */
  *entries(): Generator<{ slot: Slot; revocation: Revocation }> {
    for (const [kind, value, first] of this.values())
      for (let slot = first; slot !== NONE; slot = this.slots.get(slot, NEXT))
        yield { slot, revocation: this.read(slot, kind, value) };
  }

  private *values(): Generator<readonly [RevocationKind, string, Slot]> {
    for (const [kind, chain] of Object.entries(this.chains) as [
      RevocationKind,
      Map<string, Slot>,
    ][])
      for (const [value, slot] of chain) yield [kind, value, slot];
  }

  private read(slot: Slot, kind: RevocationKind, value: string): Revocation {
    const word = (index: number): number => this.slots.get(slot, index);
    const hex = [0, 1, 2, 3]
      .map((index) =>
        word(ID + index)
          .toString(16)
          .padStart(8, '0'),
      )
      .join('');
    return {
      id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      kind,
      value,
      before: word(BEFORE) === FOREVER ? null : word(BEFORE),
      createdAt: word(CREATED),
      expiresAt: word(EXPIRES) === FOREVER ? null : word(EXPIRES),
    };
  }

  private unlink(kind: RevocationKind, value: string, matches: (slot: Slot) => boolean): void {
    const { slots } = this;
    const chain = this.chains[kind];
    let previous: Slot = NONE;
    let next: Slot;
    for (let slot = chain.get(value) ?? NONE; slot !== NONE; slot = next) {
      next = slots.get(slot, NEXT);
      if (!matches(slot)) {
        previous = slot;
        continue;
      }
      slots.free(slot);
      if (previous !== NONE) slots.set(previous, NEXT, next);
      else if (next !== NONE) chain.set(value, next);
      else chain.delete(value);
    }
  }

  private isNamed(slot: Slot, words: readonly number[]): boolean {
    return words.every((word, index) => this.slots.get(slot, ID + index) === word);
  }

  private isExpired(slot: Slot, now: number): boolean {
    const expires = this.slots.get(slot, EXPIRES);
    return expires !== FOREVER && expires <= now;
  }
}

/** Seconds as a word, rounded to the stricter side. */
const toWord = (seconds: number | null): number =>
  seconds === null ? FOREVER : Math.min(FOREVER, Math.max(0, Math.ceil(seconds)));

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The 128 bits of a UUID; anything else is named by a digest. */
function idWords(id: string): number[] {
  const hex = UUID.test(id) ? id.replaceAll('-', '') : hash('sha256', id, 'hex');
  return [0, 8, 16, 24].map((start) => Number.parseInt(hex.slice(start, start + 8), 16));
}
