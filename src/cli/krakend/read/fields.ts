import { isJsonObject } from '../../../core/json/index.js';
import { parseDuration } from './duration.js';

/**
 * Reads the members of one object of a KrakenD configuration, and remembers which of them were read. Wrong types are
 * collected as problems, so that all of them are reported at once.
 */
export class Fields {
  private readonly values: ReadonlyMap<string, unknown>;
  private readonly asked = new Set<string>();

  /**
   * @param where name of the object in messages
   * @param problems receives a line per member of a wrong type
   */
  constructor(
    object: unknown,
    readonly where: string,
    private readonly problems: string[],
  ) {
    if (object !== undefined && !isJsonObject(object)) problems.push(`${where} is not an object`);
    // Old versions wrote some names with hyphens.
    this.values = new Map(
      Object.entries(isJsonObject(object) ? object : {}).map(([name, value]) => [
        name.startsWith('@') || name.includes('/') ? name : name.replaceAll('-', '_'),
        value,
      ]),
    );
  }

  raw(name: string): unknown {
    this.asked.add(name);
    const value = this.values.get(name);
    return value === null ? undefined : value;
  }

  text(name: string): string | undefined {
    return this.typed(name, 'a string', (value) =>
      typeof value === 'string' && !/\p{Cc}/u.test(value) ? value : undefined,
    );
  }

  flag(name: string): boolean {
    return (
      this.typed(name, 'true or false', (value) =>
        typeof value === 'boolean' ? value : undefined,
      ) ?? false
    );
  }

  whole(name: string): number | undefined {
    return this.typed(name, 'a whole number', (value) =>
      Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined,
    );
  }

  number(name: string): number | undefined {
    return this.typed(name, 'a number', (value) =>
      typeof value === 'number' && Number.isFinite(value) ? value : undefined,
    );
  }

  texts(name: string): readonly string[] {
    return (
      this.typed(name, 'a list of strings', (value) =>
        Array.isArray(value) &&
        value.every((item) => typeof item === 'string' && !/\p{Cc}/u.test(item))
          ? (value as string[])
          : undefined,
      ) ?? []
    );
  }

  /** Reads a Go duration such as `1.5s` as milliseconds. */
  milliseconds(name: string): number | undefined {
    return this.typed(name, 'a duration like "2s" or "900ms"', (value) =>
      typeof value === 'string' ? parseDuration(value) : undefined,
    );
  }

  /** Reads a list of objects. */
  objects(name: string): readonly object[] {
    return (
      this.typed(name, 'a list of objects', (value) =>
        Array.isArray(value) && value.every(isJsonObject) ? value : undefined,
      ) ?? []
    );
  }

  /** Returns the names of members that were not read, without comments (`$schema`, `@…`, `_…`). */
  unread(): string[] {
    return [...this.values.keys()].filter((name) => !this.asked.has(name) && !/^[$@_]/.test(name));
  }

  private typed<T>(
    name: string,
    what: string,
    read: (value: unknown) => T | undefined,
  ): T | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const result = read(value);
    if (result === undefined) this.problems.push(`${this.where}: '${name}' is not ${what}`);
    return result;
  }
}
