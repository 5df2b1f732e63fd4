import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { BootError } from '../../core/errors/index.js';
import { KeyError } from '../../core/keys/index.js';
import type { IntrospectionOptions, Introspector } from '../../core/verify/index.js';
import { IntrospectionEndpoint, type IntrospectionOutcome } from './introspection-endpoint.js';
import { JWKS_OPTIONS, type JwksModuleOptions } from '../jwks.module-definition.js';

/** Maximum number of open endpoints, more than any gateway has. Beyond it, the oldest one is closed. */
const MAX_ENDPOINTS = 1000;

/** Asks the introspection endpoints of policies about tokens (RFC 7662). The options for remote key sets apply. */
@Injectable()
export class IntrospectionEndpoints implements Introspector, OnApplicationShutdown {
  private readonly endpoints = new Map<string, Promise<IntrospectionEndpoint>>();
  private readonly listeners: ((outcome: IntrospectionOutcome) => void)[] = [];

  constructor(@Inject(JWKS_OPTIONS) private readonly options: JwksModuleOptions) {}

  /** Registers a listener for the outcome of each call. Tokens whose answer is cached cause no call. */
  onCall(listener: (outcome: IntrospectionOutcome) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Checks the options of an endpoint and reads the file with its client.
   *
   * @throws BootError when they cannot be used
   */
  async open(options: IntrospectionOptions): Promise<void> {
    await this.endpoint(options);
  }

  /** @throws IntrospectionUnavailableException while the endpoint cannot be asked */
  async introspect(
    token: string,
    options: IntrospectionOptions,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    return (await this.endpoint(options)).ask(token);
  }

  onApplicationShutdown(): void {
    for (const name of this.endpoints.keys()) this.close(name);
  }

  private endpoint(options: IntrospectionOptions): Promise<IntrospectionEndpoint> {
    const name = JSON.stringify(options);
    const known = this.endpoints.get(name);
    if (known !== undefined) return known;
    const opening = this.opened(options);
    this.endpoints.set(name, opening);
    opening.catch(() => this.endpoints.delete(name));
    const [oldest] = this.endpoints.keys();
    if (this.endpoints.size > MAX_ENDPOINTS && oldest !== undefined) this.close(oldest);
    return opening;
  }

  private async opened(options: IntrospectionOptions): Promise<IntrospectionEndpoint> {
    let option = 'introspection';
    try {
      const endpoint = new IntrospectionEndpoint(options, this.options, (outcome) => {
        for (const listener of this.listeners) listener(outcome);
      });
      option = 'introspection.clientFile';
      await endpoint.open();
      return endpoint;
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new BootError(`the option ${option} of AuthModule: ${error.message}`);
    }
  }

  private close(name: string): void {
    this.endpoints.get(name)?.then(
      (endpoint) => endpoint.close(),
      () => undefined,
    );
    this.endpoints.delete(name);
  }
}
