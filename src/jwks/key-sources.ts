import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { DiscoveredKeys } from './remote/discovered-keys.js';
import { KeyFile } from './key-file.js';
import {
  KeyError,
  RELOAD_INTERVAL_MS,
  type KeyIdentifyStrategy,
  type KeyProvider,
  type KeySource,
} from '../core/keys/index.js';
import { exposureCheck, reportOn } from './key-set-checks.js';
import { KeyUrl } from './remote/key-url.js';
import { LiveKeySet } from './live-key-set.js';
import type { JwksModuleOptions } from './jwks.module-definition.js';

/** A use of a source. The first use decides on `publicOnly` (see `KeyProvider.publicOnly`). */
export interface KeyUse {
  source: KeySource;
  publicOnly: boolean;
  /** True: the process is not ready before the set has arrived. Default true. */
  needed?: boolean;
}

/** A set and the number of its uses. Uses that began at boot never end. */
interface OpenSet {
  readonly live: LiveKeySet;
  /** Settles at the end of the first read of the source. */
  readonly opened: Promise<void>;
  users: number;
}

/**
 * The live sets, one per distinct source. Sets are never merged, so a kid of one issuer never selects a key from
 * another issuer's set.
 */
export class KeySources {
  private static readonly logger = new Logger('JwkKeyStore');
  private readonly sets = new Map<string | KeyProvider, OpenSet>();
  /** The sets by source object: every token needs a lookup, and {@link identity} would be slow. */
  private readonly found = new WeakMap<KeySource, LiveKeySet>();
  private closed = false;

  constructor(private readonly options: JwksModuleOptions) {}

  /**
   * Opens the sources that are not open yet, all at the same time.
   *
   * @throws BootError with one line per source that cannot be used; all sources are closed then
   */
  async open(uses: readonly KeyUse[]): Promise<void> {
    const results = await Promise.allSettled(uses.map((use) => this.openOne(use)));
    const failures = results.flatMap((result): unknown[] =>
      result.status === 'rejected' ? [result.reason] : [],
    );
    if (failures.length === 0) return;
    this.close();
    for (const failure of failures) if (!(failure instanceof KeyError)) throw failure;
    const messages = (failures as KeyError[]).map(({ message }) => `JWK ${message}`);
    throw new BootError([...new Set(messages)]);
  }

  /** Returns the live set of an opened source. @throws Error when it was not opened */
  get(source: KeySource): LiveKeySet {
    let live = this.found.get(source);
    if (live !== undefined) return live;
    live = this.sets.get(identity(source))?.live;
    if (live === undefined) throw new Error('a key source is used that was not opened');
    this.found.set(source, live);
    return live;
  }

  all(): readonly LiveKeySet[] {
    return [...this.sets.values()].map(({ live }) => live);
  }

  /**
   * Opens a source for a limited time, unless it is open already. The process is ready without it. The method waits for
   * the first read of the source, which takes at most the time of a fetch.
   *
   * @returns a function that ends the use. The end of the last use closes the set and drops its keys
   * @throws KeyError when the set cannot be used. An unreachable remote set is fetched again in the background instead
   */
  async lease(source: KeySource): Promise<() => void> {
    const set = this.use({ source, publicOnly: true, needed: false });
    // Replaces the closed set of a source that was used before.
    this.found.set(source, set.live);
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      set.users--;
      if (set.users > 0) return;
      this.sets.delete(identity(source));
      set.live.discard();
    };
    try {
      await set.opened;
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Stops all updates. No further set can be opened, e.g. by a request that is still under way. */
  close(): void {
    this.closed = true;
    for (const { live } of this.sets.values()) live.close();
  }

  private async openOne(use: KeyUse): Promise<void> {
    await this.use(use).opened;
  }

  private use({ source, publicOnly, needed = true }: KeyUse): OpenSet {
    const id = identity(source);
    let set = this.sets.get(id);
    if (set === undefined) {
      if (this.closed) throw new KeyError('no keys are fetched after the shutdown');
      const live = new LiveKeySet(
        this.provider(source, publicOnly),
        strategyOf(source),
        typeof id === 'string' ? id : undefined,
      );
      live.require(exposureCheck(this.options.exposedKeyFiles ?? 'warn', KeySources.logger));
      live.require(reportOn(KeySources.logger));
      set = { live, opened: live.open(), users: 0 };
      this.sets.set(id, set);
    }
    set.users++;
    if (needed) set.live.needed = true;
    return set;
  }

  private provider(source: KeySource, publicOnly: boolean): KeyProvider {
    const { passphrase, reloadIntervalMs = RELOAD_INTERVAL_MS, remote = {} } = this.options;
    if ('read' in source) return source;
    if ('path' in source) return new KeyFile(source.path, { passphrase, reloadIntervalMs });
    const options = { ...remote, ...source.options };
    return 'url' in source
      ? new KeyUrl(source.url, options, publicOnly)
      : new DiscoveredKeys(source.discover, options);
  }
}

const strategyOf = (source: KeySource): KeyIdentifyStrategy | undefined =>
  'read' in source ? undefined : source.options?.identifyStrategy;

/** Returns the identity of a source. Two spellings of a source have the same one, other options another one. */
function identity(source: KeySource): string | KeyProvider {
  if ('read' in source) return source;
  const options = JSON.stringify(
    Object.entries(source.options ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
  if ('path' in source) return `file ${resolve(source.path)} ${options}`;
  return 'url' in source
    ? `url ${URL.parse(source.url)?.href ?? source.url} ${options}`
    : `issuer ${source.discover} ${options}`;
}
