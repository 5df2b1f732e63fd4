import { Injectable } from '@nestjs/common';
import { RouteExplorer, type Handler, type HandlerKind } from './route-explorer.js';

/**
 * Who gets in: `token`: with a token; `optional`: with one or without; `public`: everybody, as `@Public()` says;
 * `open`: everybody, since nothing says otherwise.
 */
export type RouteAccess = 'token' | 'optional' | 'public' | 'open';

/** What `@RequireJwt` and `@SignFields` say about a route. */
export interface RouteFacts {
  readonly access: RouteAccess;
  /** Roles of which a token needs one, or all. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly issuers: readonly string[];
  readonly signedFields: readonly string[];
}

/** One way for requests into the application. */
export interface RouteRow extends RouteFacts {
  readonly kind: HandlerKind;
  /** `GET`, `Query`, `MESSAGE`, `PATTERN`, …; `CONNECT` for the connection to a protected gateway. */
  readonly method: string;
  /** As Nest registers it; for others the field, message or pattern. */
  readonly path: string;
  /** `OrdersController.list` */
  readonly handler: string;
}

/** Adds what it knows of a route. */
export type RouteDescriber = (handler: Handler) => Partial<RouteFacts>;

/**
 * Every way into the application, with what protects and signs it.
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

  /** For modules whose decorators say something about routes. */
  describeBy(describer: RouteDescriber): void {
    this.describers.push(describer);
  }

  /** In the order of the modules, a row per path. Once the application is made; it need not be initialized. */
  rows(): RouteRow[] {
    const routes = this.explorer
      .routes()
      .flatMap((route) => this.explorer.paths(route).map((path) => this.row(route, path)));
    const handlers = this.explorer.handlers().map((handler) => this.row(handler));
    // An open connection is none of the gateway's messages.
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
