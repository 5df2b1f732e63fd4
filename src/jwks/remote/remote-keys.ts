import {
  KeyError,
  STANDARD_REFRESH,
  type KeyDocument,
  type KeyProvider,
  type KeyUrlOptions,
  type RefreshPolicy,
} from '../../core/keys/index.js';
import { RemoteAgent } from './remote-agent.js';
import { fetchDeadline } from './remote-fetch.js';

/** Keys that are fetched over HTTP. Its errors name the source. */
export abstract class RemoteKeys implements KeyProvider {
  readonly remote = true;
  readonly refresh: RefreshPolicy;
  /** Longest time of a fetch, in milliseconds. */
  protected readonly timeoutMs: number;
  protected readonly agent: RemoteAgent;

  /** @throws KeyError when a pin, the CA or the URL of a proxy is invalid */
  protected constructor(
    readonly source: string,
    readonly publicOnly: boolean,
    options: KeyUrlOptions,
  ) {
    this.refresh = {
      cacheTtl: options.cacheTtl ?? STANDARD_REFRESH.cacheTtl,
      cooldown: options.cooldown ?? STANDARD_REFRESH.cooldown,
      maxStaleSeconds: options.maxStaleSeconds ?? STANDARD_REFRESH.maxStaleSeconds,
    };
    this.timeoutMs = fetchDeadline(options);
    try {
      this.agent = new RemoteAgent(options, this.timeoutMs);
    } catch (error) {
      throw this.named(error);
    }
  }

  async read(): Promise<KeyDocument> {
    try {
      return await this.fetch();
    } catch (error) {
      throw this.named(error);
    }
  }

  /** Does nothing, since a server does not announce changes. `refresh` says when to fetch the keys again. */
  watch(): () => void {
    return () => undefined;
  }

  close(): void {
    this.agent.close();
  }

  /** Fetches the keys. {@link read} adds the source to the errors. */
  protected abstract fetch(): Promise<KeyDocument>;

  private named(error: unknown): unknown {
    return error instanceof KeyError ? new KeyError(`${this.source}: ${error.message}`) : error;
  }
}
