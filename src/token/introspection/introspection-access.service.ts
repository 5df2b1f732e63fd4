import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { AuthGuard, ProtectedRoutes, rawRequest } from '../../auth/index.js';
import {
  ClientAuthentication,
  ClientRefusedException,
  hasClientCredentials,
} from '../../clients/index.js';
import { isConfidential } from '../../core/clients/index.js';
import { BootError } from '../../core/errors/index.js';
import type { TokenPolicy } from '../../core/verify/index.js';
import {
  INTROSPECTION_OPTIONS,
  type IntrospectionModuleOptions,
} from './introspection.module-definition.js';
import type { TokenParameters } from '../request/token-request.js';

/** Decides who may introspect tokens: confidential clients, and holders of a role (RFC 7662 section 2.1). */
@Injectable()
export class IntrospectionAccess implements OnModuleInit {
  private policy: TokenPolicy | undefined;

  constructor(
    @Inject(INTROSPECTION_OPTIONS) private readonly options: IntrospectionModuleOptions,
    private readonly guard: AuthGuard,
    private readonly routes: ProtectedRoutes,
    @Optional() private readonly clients?: ClientAuthentication,
  ) {}

  /** @throws BootError if no request could be allowed */
  onModuleInit(): void {
    const { roles } = this.options;
    if (roles.length > 0) this.policy = this.routes.withRoles(roles);
    else if (this.clients === undefined)
      throw new BootError(
        'the option roles of IntrospectionModule is empty, and there is no ClientsModule: nobody could ask',
      );
  }

  /**
   * Allows requests of a client with credentials, or with a token that has a role.
   *
   * @throws ClientRefusedException 401 `client_unknown`; what `AuthGuard.admit` throws
   */
  async assertMayAsk(
    request: IncomingMessage,
    response: ServerResponse,
    parameters: TokenParameters,
  ): Promise<void> {
    const { clients, policy } = this;
    const asClient = policy === undefined || hasClientCredentials(request, parameters);
    if (policy !== undefined && (clients === undefined || !asClient))
      return this.guard.admit(rawRequest(request), response, policy);
    const client = await clients?.authenticate(request, parameters);
    // Any request can claim to be that of a public client.
    if (client === undefined || !isConfidential(client))
      throw new ClientRefusedException('client_unknown', 'a public client proves nothing');
  }
}
