import { Injectable } from '@nestjs/common';
import { RouteExplorer, type Handler, type HandlerKind } from './route-explorer.js';

/**
 * Who can call a route. `token`: a token is required. `optional`: a token is checked if there is one. `public`:
 * everybody, by `@Public()`. `open`: everybody, since the route has no decorator.
 */
export type RouteAccess = 'token' | 'optional' | 'public' | 'open';

/** What `@RequireJwt` and `@SignFields` declare for a route. */
export interface RouteFacts {
  readonly access: RouteAccess;
  /** Required roles: one of them or all, see `rolesMatcher`. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly issuers: readonly string[];
  readonly signedFields: readonly string[];
}

/** One route, GraphQL field, message or gateway of the application. */
export interface RouteRow extends RouteFacts {
  readonly kind: HandlerKind;
  /** `GET`, `Query`, `MESSAGE`, `PATTERN`, …; `CONNECT` for the connection to a protected gateway. */
  readonly method: string;
  /** Path as Nest registers it, or the field, message or pattern. */
  readonly path: string;
  /** `OrdersController.list` */
  readonly handler: string;
}

/** Gives the facts that one module knows about a route. */
export type RouteDescriber = (handler: Handler) => Partial<RouteFacts>;

/**
 * Lists all handlers of the application, with their protection and signed fields.
 *
 * @example
 * ```ts
 * expect(app.get(RouteTable).rows().filter(({ access }) => access === 'open')).toEqual([]);
 * ```
 */
@Injectable()
export class RouteTable {
  private readonly describers: RouteDescriber[] = [];

  constructor(private readonly explorer: RouteExplorer) {}

  /** Registers the facts of a module, e.g. of `AuthModule`. */
  describeBy(describer: RouteDescriber): void {
    this.describers.push(describer);
  }

  /** A row per path, in the order of the modules. The application has to be created, but not initialized. */
  rows(): RouteRow[] {
    const routes = this.explorer
      .routes()
      .flatMap((route) => this.explorer.paths(route).map((path) => this.row(route, path)));
    const handlers = this.explorer.handlers().map((handler) => this.row(handler));
    // Gateways without a guard on the connection are left out: their messages are listed.
    const connections = this.explorer
      .gateways()
      .map((gateway) => this.row(gateway))
      .filter(({ access }) => access === 'token' || access === 'optional');
    return [...routes, ...handlers, ...connections];
  }

  private row(route: Handler, path = route.path): RouteRow {
    const { kind, method, controller, name } = route;
    const facts: RouteFacts = Object.assign(
      { access: 'open', roles: [], scopes: [], issuers: [], signedFields: [] },
      ...this.describers.map((describe) => describe(route)),
    );
    return {
      kind,
      method,
      path,
      handler: `${controller.name}.${name}`,
      ...facts,
    };
  }
}
