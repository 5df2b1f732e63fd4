import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { isClientSecret, type Client } from '../core/clients/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { STANDARD_POLICY } from '../core/verify/index.js';
import { addBackendHeaders, ReservedHeaders, withholdHeaders } from '../http/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { STATE_STORE, type StateStore } from '../state/index.js';
import { clientNetwork, ThrottleCounters } from '../throttle/index.js';
import { verifyAssertion } from './client-assertion.js';
import { ClientRefusedException } from './client-refused.exception.js';
import { ClientRegistry } from './client-registry.service.js';
import { CLIENTS_OPTIONS, type ClientsModuleOptions } from './clients.module-definition.js';
import { FailedAttempts } from './failed-attempts.js';
import {
  presentedClient,
  type PresentedClient,
  type RequestParameters,
} from './presented-client.js';

/** The same text for an unknown client and for a wrong secret, so that it does not tell which ids exist. */
const UNKNOWN = 'there is no such client, or its credentials are others';

/** Header with the client id for the login service. A header of that name from the client is not forwarded. */
const CLIENT_HEADER = 'x-client-id';

/** Endpoints at which clients authenticate. Their URLs are accepted as `aud` of an assertion. */
const ENDPOINTS = ['/token', '/token/revoke', '/token/introspect'];

/** Authenticates registered clients (RFC 6749 section 2.3, RFC 7523 section 2.2). */
@Injectable()
export class ClientAuthentication {
  private readonly attempts: FailedAttempts;
  private audiences: readonly string[] | undefined;

  constructor(
    @Inject(CLIENTS_OPTIONS) private readonly options: ClientsModuleOptions,
    private readonly registry: ClientRegistry,
    private readonly keys: JwkKeyStore,
    @Inject(STATE_STORE) private readonly store: StateStore,
    private readonly host: HttpAdapterHost,
    reserved: ReservedHeaders,
  ) {
    reserved.reserve(CLIENT_HEADER);
    this.attempts = new FailedAttempts(new ThrottleCounters(store));
  }

  /**
   * Authenticates the client of a request by the method that it is registered with. Its credentials are not forwarded:
   * a backend gets `X-Client-Id` in their place.
   *
   * @throws ClientRefusedException 401 `client_unknown`, 400 `client_ambiguous`
   * @throws TooManyRequestsException 429 after too many failures of this client at this address
   * @throws KeysUnavailableException, StateUnavailableException
   */
  async authenticate(request: IncomingMessage, parameters: RequestParameters): Promise<Client> {
    withholdHeaders(request, ['authorization']);
    const presented = presentedClient(request, parameters);
    const { id } = presented;
    if (id === undefined)
      throw new ClientRefusedException(
        'client_unknown',
        presented.method === 'none'
          ? 'the request names no client; one has to be registered, and sends its client_id'
          : 'the credentials are malformed, and name no client',
      );
    const address = clientNetwork(request);
    this.attempts.assertAllowed(id, address);
    const client = this.registry.get(id);
    const problem = await this.problem(presented, client);
    if (problem === undefined && client !== undefined) {
      addBackendHeaders(request, { [CLIENT_HEADER]: client.id });
      return client;
    }
    await this.attempts.failed(id, address);
    throw new ClientRefusedException('client_unknown', problem ?? UNKNOWN);
  }

  /** Why the credentials are refused; `undefined` where they prove the client. */
  private async problem(
    { method, proof }: PresentedClient,
    client: Client | undefined,
  ): Promise<string | undefined> {
    const hasSecret = method === 'client_secret_basic' || method === 'client_secret_post';
    // The secret is compared for unknown clients, too, so that the time does not tell them apart.
    const isSecret = hasSecret && isClientSecret(client?.secretHash, proof);
    if (client === undefined) return UNKNOWN;
    if (client.method !== method)
      return `the client is registered with the method ${client.method}, and uses ${method}`;
    if (hasSecret) return isSecret ? undefined : UNKNOWN;
    return method === 'none' ? undefined : this.assertionProblem(proof, client);
  }

  private async assertionProblem(proof: string, client: Client): Promise<string | undefined> {
    try {
      await verifyAssertion(proof, client, {
        audiences: (this.audiences ??= this.ownNames()),
        leeway: this.options.leeway ?? STANDARD_POLICY.leeway,
        keys: this.keys,
        keySource: this.registry.keySource(client),
        store: this.store,
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof TokenRefusedError)) throw error;
      return `client_assertion: ${error.code}: ${error.explanation}`;
    }
  }

  /** The accepted `aud` of assertions. `Host` is not among them: a client can write anything there. */
  private ownNames(): readonly string[] {
    const { issuer, publicUrl } = this.options;
    const base = publicUrl?.replace(/\/$/, '') ?? `http://localhost:${this.port()}`;
    return [...new Set([issuer, ...ENDPOINTS.map((path) => base + path)])];
  }

  private port(): number {
    return ((this.host.httpAdapter.getHttpServer() as Server).address() as AddressInfo).port;
  }
}
