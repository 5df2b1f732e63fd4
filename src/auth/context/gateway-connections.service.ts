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

/** The services of the application whose gateways are looked after; the last one that was made. */
const current = new WeakMap<object, GatewayConnections>();

/** By the gateway and by the client: whether its connection is accepted. */
const verdicts = new WeakMap<object, WeakMap<object, PromiseWithResolvers<boolean>>>();

/** What becomes of a connection; the first who asks may be a message, where a gateway is made for each request. */
function verdictOn(gateway: object, client: object): PromiseWithResolvers<boolean> {
  let clients = verdicts.get(gateway);
  if (clients === undefined) verdicts.set(gateway, (clients = new WeakMap()));
  let verdict = clients.get(client);
  if (verdict === undefined) clients.set(client, (verdict = Promise.withResolvers()));
  return verdict;
}

/**
 * Stands before all messages of a gateway: Nest hands over those that come while the connection is still looked at, and
 * those of a client of `ws` that was told to go and stays.
 */
const ACCEPTED_ONLY: CanActivate = {
  async canActivate(context) {
    const client = context.switchToWs().getClient<SocketClient>();
    return (await verdictOn(context.getClass(), client).promise) && !wasClosed(client);
  },
};

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

  /** Whether a client may stay connected; one that may not is told to go. */
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
