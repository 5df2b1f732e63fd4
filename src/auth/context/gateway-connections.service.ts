import type { IncomingMessage } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { answerMessage } from '../../http/index.js';
import { BootError } from '../../core/errors/index.js';
import { RouteExplorer, type Handler } from '../../routes/index.js';
import { AuthGuard } from '../auth.guard.js';
import { DpopProofs } from '../possession/dpop-proofs.service.js';
import { JwtVerifier } from '../jwt-verifier.service.js';
import { ProtectedRoutes } from '../protected-routes.service.js';
import { noteUpgrade } from './socket-handshake.js';
import { closeSocket, type SocketClient } from './socket-expiry.js';

type ConnectionHook = (this: unknown, client: SocketClient, ...args: unknown[]) => unknown;
interface GatewayPrototype {
  handleConnection?: ConnectionHook;
}

/** The services of the application whose gateways are looked after; the last one that was made. */
const current = new WeakMap<object, GatewayConnections>();

/**
 * Sees every connection of a gateway with protected messages before the gateway does: notes the request that
 * opened it, where its token may be, and, where `@RequireJwt` stands on the gateway or on its
 * `handleConnection`, closes it when that token is not accepted. Guards of Nest see messages only.
 */
@Injectable()
export class GatewayConnections implements OnModuleInit {
  private readonly guard: AuthGuard;

  constructor(
    private readonly explorer: RouteExplorer,
    private readonly routes: ProtectedRoutes,
    verifier: JwtVerifier,
    proofs?: DpopProofs,
  ) {
    this.guard = new AuthGuard(routes, verifier, proofs);
    // Nest reads handleConnection when it registers the gateways, which is before onModuleInit.
    for (const connection of explorer.gateways()) this.watch(connection);
  }

  /** @throws BootError for a gateway whose connections cannot be seen */
  onModuleInit(): void {
    const problems = this.explorer
      .gateways()
      .filter(({ instance }) => Object.hasOwn(Object(instance) as object, 'handleConnection'))
      .map(
        ({ label }) =>
          `${label}: connections are not seen where handleConnection is a member of the instance; make it a method`,
      );
    if (problems.length > 0) throw new BootError(problems);
  }

  private watch({ controller: gateway, handler }: Handler): void {
    const prototype = gateway.prototype as GatewayPrototype;
    if (!current.has(prototype)) {
      const own = prototype.handleConnection;
      const hook: ConnectionHook = function (client, ...args) {
        return current
          .get(prototype)
          ?.connected(gateway, handler, client, args, async () => own?.call(this, client, ...args));
      };
      for (const key of Reflect.getMetadataKeys(handler) as unknown[])
        Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), hook);
      Object.defineProperty(prototype, 'handleConnection', {
        value: hook,
        configurable: true,
        writable: true,
      });
    }
    current.set(prototype, this);
  }

  private async connected(
    gateway: Handler['controller'],
    handler: Handler['handler'],
    client: SocketClient,
    [request]: readonly unknown[],
    goOn: () => Promise<unknown>,
  ): Promise<unknown> {
    if (typeof request === 'object' && request !== null)
      noteUpgrade(client, request as IncomingMessage);
    if (this.routes.isProtected({ handler, controller: gateway })) {
      const context = new ExecutionContextHost([client], gateway, handler);
      context.setType('ws');
      try {
        await this.guard.canActivate(context);
      } catch (error) {
        answerMessage(error, context);
        closeSocket(client, 'not authorized');
        return undefined;
      }
    }
    return goOn();
  }
}
