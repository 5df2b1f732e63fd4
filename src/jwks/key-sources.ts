import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { DiscoveredKeys } from './discovered-keys.js';
import { KeyFile } from './key-file.js';
import {
  KeyError,
  RELOAD_INTERVAL_MS,
  type KeyIdentifyStrategy,
  type KeyProvider,
  type KeySource,
} from '../core/keys/index.js';
import { exposureCheck, reportOn } from './key-set-checks.js';
import { KeyUrl } from './key-url.js';
import { LiveKeySet } from './live-key-set.js';
import type { JwksModuleOptions } from './jwks.module-definition.js';

/** A source, and whether it is somebody else's (see `KeyProvider.publicOnly`); first use decides. */
export interface KeyUse {
  source: KeySource;
  publicOnly: boolean;
  /** The process is not ready before the set has arrived. Default true. */
  needed?: boolean;
}

/**
 * One live set per distinct source. A key belongs to its source: sets are never merged, so a kid
 * of one issuer means nothing where another issuer's set is asked for.
 */
export class KeySources {
  private static readonly logger = new Logger('JwkKeyStore');
  private readonly sets = new Map<string | KeyProvider, LiveKeySet>();
  private readonly opening = new Map<LiveKeySet, Promise<void>>();
  /** How many asked for a set: the last one that releases it closes it. */
  private readonly users = new Map<LiveKeySet, number>();
  /** Asked for with every token, so looked up by the object instead of by its spelling. */
  private readonly found = new WeakMap<KeySource, LiveKeySet>();

  constructor(private readonly options: JwksModuleOptions) {}

  /**
   * Opens what is not open yet, all at the same time.
   *
   * @throws BootError in one line per source that cannot be used; all sources are closed then
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

  /**
   * Opens one more set while others are in use: a failure leaves those alone.
   *
   * @throws KeyError when it cannot be used
   */
  add(use: KeyUse): Promise<void> {
    return this.openOne(use);
  }

  /** Takes an {@link open} or {@link add} back; the set is closed when nobody else asked for it. */
  release(source: KeySource): void {
    const id = identity(source);
    const live = this.sets.get(id);
    if (live === undefined) return;
    const others = (this.users.get(live) ?? 1) - 1;
    this.users.set(live, others);
    if (others > 0) return;
    this.users.delete(live);
    this.opening.delete(live);
    this.sets.delete(id);
    this.found.delete(source);
    live.close();
  }

  /** The live set of an opened source. @throws Error when it was not opened */
  get(source: KeySource): LiveKeySet {
    let live = this.found.get(source);
    if (live !== undefined) return live;
    live = this.sets.get(identity(source));
    if (live === undefined) throw new Error('a key source is used that was not opened');
    this.found.set(source, live);
    return live;
  }

  all(): readonly LiveKeySet[] {
    return [...this.sets.values()];
  }

  close(): void {
    for (const live of this.sets.values()) live.close();
  }

  private async openOne({ source, publicOnly, needed = true }: KeyUse): Promise<void> {
    const id = identity(source);
    let live = this.sets.get(id);
    if (live === undefined) {
      live = new LiveKeySet(this.provider(source, publicOnly), strategyOf(source));
      live.require(exposureCheck(this.options.exposedKeyFiles ?? 'warn', KeySources.logger));
      live.require(reportOn(KeySources.logger));
      this.sets.set(id, live);
      this.opening.set(live, live.open());
    }
    this.users.set(live, (this.users.get(live) ?? 0) + 1);
    if (needed) live.needed = true;
    await this.opening.get(live);
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

/** The same for two spellings of one source; with other options it is another one. */
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
