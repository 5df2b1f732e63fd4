import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type OnModuleInit } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { answerMessage } from '../../http/index.js';
import { BootError } from '../../core/errors/index.js';
import { RouteExplorer, type Handler } from '../../routes/index.js';
import { AuthGuard } from '../auth.guard.js';
import { DpopProofs } from '../possession/dpop-proofs.service.js';
import { JwtVerifier } from '../jwt-verifier.service.js';
import { ProtectedRoutes } from '../protected-routes.service.js';
import { noteUpgrade } from './socket-handshake.js';
import { closeSocket, wasClosed, type SocketClient } from './socket-expiry.js';

type ConnectionHook = (this: unknown, client: SocketClient, ...args: unknown[]) => unknown;
interface GatewayPrototype {
  handleConnection?: ConnectionHook;
}

/** By the prototype of a gateway: the service that checks its connections. It is the one that was created last. */
const current = new WeakMap<object, GatewayConnections>();

/** By gateway and client: whether the connection is accepted. */
const verdicts = new WeakMap<object, WeakMap<object, PromiseWithResolvers<boolean>>>();

/**
 * Returns the verdict on a connection, and creates it on the first call. That call may come from a message, where Nest
 * creates a gateway for each request.
 */
function verdictOn(gateway: object, client: object): PromiseWithResolvers<boolean> {
  let clients = verdicts.get(gateway);
  if (clients === undefined) verdicts.set(gateway, (clients = new WeakMap()));
  let verdict = clients.get(client);
  if (verdict === undefined) clients.set(client, (verdict = Promise.withResolvers()));
  return verdict;
}

/**
 * Guards all messages of a gateway. Nest delivers messages while the connection is still being checked, and messages of
 * a `ws` client that stays connected after it was told to close.
 */
const ACCEPTED_ONLY: CanActivate = {
  async canActivate(context) {
    const client = context.switchToWs().getClient<SocketClient>();
    return (await verdictOn(context.getClass(), client).promise) && !wasClosed(client);
  },
};

/**
 * Handles every connection to a gateway with protected messages before the gateway does. It stores the request that
 * opened the connection, since that may hold the token. Where `@RequireJwt` stands on the gateway or on its
 * `handleConnection`, it closes the connection if the token is not accepted. Guards of Nest run only for messages.
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

  /** @throws BootError for a gateway whose connections cannot be checked */
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
      const hook: ConnectionHook = async function (client, ...args) {
        const verdict = verdictOn(gateway, client);
        verdict.resolve(current.get(prototype)?.accepts(gateway, handler, client, args) ?? false);
        return (await verdict.promise) ? own?.call(this, client, ...args) : undefined;
      };
      for (const key of Reflect.getMetadataKeys(handler) as unknown[])
        Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), hook);
      Object.defineProperty(prototype, 'handleConnection', {
        value: hook,
        configurable: true,
        writable: true,
      });
      const guards = (Reflect.getMetadata(GUARDS_METADATA, gateway) ?? []) as unknown[];
      if (!guards.includes(ACCEPTED_ONLY))
        Reflect.defineMetadata(GUARDS_METADATA, [ACCEPTED_ONLY, ...guards], gateway);
    }
    current.set(prototype, this);
  }

  /** Returns whether a client may stay connected. A refused client gets the error and is disconnected. */
  private async accepts(
    gateway: Handler['controller'],
    handler: Handler['handler'],
    client: SocketClient,
    [request]: readonly unknown[],
  ): Promise<boolean> {
    if (typeof request === 'object' && request !== null)
      noteUpgrade(client, request as IncomingMessage);
    if (this.routes.isProtected({ handler, controller: gateway })) {
      const context = new ExecutionContextHost([client], gateway, handler);
      context.setType('ws');
      try {
        await this.guard.canActivate(context);
      } catch (error) {
        try {
          answerMessage(error, context);
        } finally {
          closeSocket(client, 'not authorized');
        }
        return false;
      }
    }
    return true;
  }
}
