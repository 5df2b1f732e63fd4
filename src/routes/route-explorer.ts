import { Injectable, RequestMethod, type Type, type Version } from '@nestjs/common';
import {
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  VERSION_METADATA,
  SSE_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import {
  ApplicationConfig,
  DiscoveryService,
  MetadataScanner,
  ModulesContainer,
} from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';

/** The protocol of a handler: the value of `ExecutionContext.getType()`. */
export type HandlerKind = 'http' | 'graphql' | 'ws' | 'rpc';

/** A method that Nest calls for requests or messages. */
export interface Handler {
  /** The class: a controller, a resolver or a gateway. */
  controller: Type;
  handler: (...args: never[]) => unknown;
  /** The name of the method. */
  name: string;
  kind: HandlerKind;
  /** HTTP method; `Query`, `Mutation`, `Subscription` or `Field` of GraphQL; `MESSAGE`; `PATTERN` or `EVENT`. */
  method: string;
  /** The path, the GraphQL field, the name of the message, or the pattern. */
  path: string;
  /** Description for errors and logs: `POST /token (TokenController.create)`. */
  label: string;
}

/** An HTTP route of the application. */
export interface Route extends Handler {
  /** The handler writes the response itself (`@Res()` without passthrough, `@Next()`). */
  writesResponse: boolean;
  /** The handler sends a stream of events (`@Sse()`). */
  sendsEvents: boolean;
}

/** Metadata keys of optional packages, which are not loaded here. */
const RESOLVER_TYPE = 'graphql:resolver_type';
const RESOLVER_NAME = 'graphql:resolver_name';
const RESOLVER_PROPERTY = 'graphql:resolve_property';
const RESOLVER_REFERENCE = 'graphql:resolve_reference';
const WS_HANDLER = 'websockets:message_mapping';
const WS_MESSAGE = 'message';
const RPC_PATTERN = 'microservices:pattern';
const RPC_TYPE = 'microservices:handler_type';
/** `PatternHandler.EVENT` */
const RPC_EVENT = 2;
const GATEWAY = 'websockets:is_gateway';
const GATEWAY_OPTIONS = 'websockets:gateway_options';
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

/** Lists the handlers of the application, so that decorators can be checked at boot. */
@Injectable()
export class RouteExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  /** The HTTP routes of all controllers. */
  routes(): Route[] {
    return this.discovery
      .getControllers()
      .flatMap(({ metatype }) =>
        this.methodsOf(metatype as Type | null).flatMap(([controller, handler, name]) =>
          Reflect.hasMetadata(METHOD_METADATA, handler)
            ? [describeRoute(controller, handler, name)]
            : [],
        ),
      );
  }

  /** The other handlers: GraphQL fields, WebSocket messages, patterns of microservices. */
  handlers(): Handler[] {
    return this.methods().flatMap((method) => describeHandler(...method) ?? []);
  }

  /** The `handleConnection` of all WebSocket gateways, with the instance of the gateway once Nest has created it. */
  gateways(): (Handler & { instance: unknown })[] {
    return this.discovery.getProviders().flatMap(({ metatype, instance }) => {
      const gateway = metatype as Type | null;
      if (typeof gateway !== 'function' || Reflect.getMetadata(GATEWAY, gateway) !== true)
        return [];
      const { handleConnection: handler = NO_HANDLER } = gateway.prototype as {
        handleConnection?: Handler['handler'];
      };
      const { namespace = '' } = (Reflect.getMetadata(GATEWAY_OPTIONS, gateway) ?? {}) as {
        namespace?: unknown;
      };
      const path = `/${asText(namespace).replace(/^\//, '')}`;
      const described = labelled('ws', 'CONNECT', path, gateway, handler, 'handleConnection');
      return [{ ...described, instance: instance as unknown }];
    });
  }

  /** The methods of controllers and providers that are no handlers, as far as this class knows. */
  others(): Pick<Handler, 'controller' | 'handler' | 'name'>[] {
    return this.methods().flatMap(([controller, handler, name]) =>
      Reflect.hasMetadata(METHOD_METADATA, handler) ||
      describeHandler(controller, handler, name) !== undefined
        ? []
        : [{ controller, handler, name }],
    );
  }

  /** The enhancers that Nest runs for fields of GraphQL types (option `fieldResolverEnhancers`). Default: none. */
  fieldEnhancers(): readonly string[] {
    return this.discovery.getProviders().flatMap(({ token, instance }) => {
      if (token !== GRAPHQL_OPTIONS) return [];
      const { fieldResolverEnhancers: enhancers } = (instance ?? {}) as Record<string, unknown>;
      return Array.isArray(enhancers) ? enhancers.map(String) : [];
    });
  }

  private methods(): [Type, Handler['handler'], string][] {
    const classes = [...this.discovery.getControllers(), ...this.discovery.getProviders()].map(
      ({ metatype }) => metatype as unknown,
    );
    return [...new Set(classes)].flatMap((metatype) => this.methodsOf(metatype));
  }

  private methodsOf(metatype: unknown): [Type, Handler['handler'], string][] {
    if (typeof metatype !== 'function') return [];
    const controller = metatype as Type;
    const prototype = controller.prototype as Record<string, Handler['handler']> | undefined;
    // An arrow function (a factory) has no prototype.
    if (prototype === undefined) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      return handler === undefined ? [] : [[controller, handler, name]];
    });
  }

  /**
   * The paths of a handler as Nest registers them: with global prefix, module path and URL version. They are known once
   * the application is initialized.
   */
  paths({ controller, handler }: Pick<Route, 'controller' | 'handler'>): string[] {
    const factory = new RoutePathFactory(this.config);
    const versioningOptions = this.config.getVersioning();
    const hosts = this.discovery.getControllers().filter(({ metatype }) => metatype === controller);
    return hosts.flatMap(({ host }) =>
      textsOf(PATH_METADATA, controller).flatMap((ctrlPath) =>
        textsOf(PATH_METADATA, handler).flatMap((methodPath) =>
          factory.create(
            {
              ctrlPath,
              methodPath,
              modulePath: this.modulePath(host?.metatype),
              globalPrefix: this.config.getGlobalPrefix(),
              controllerVersion:
                versioningOptions && (versionOf(controller) ?? versioningOptions.defaultVersion),
              methodVersion: versionOf(handler),
              versioningOptions,
            },
            Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod,
          ),
        ),
      ),
    );
  }

  private modulePath(module: CallableFunction | undefined): string | undefined {
    if (module === undefined) return undefined;
    const { applicationId } = this.modules;
    return (Reflect.getMetadata(MODULE_PATH + applicationId, module) ??
      Reflect.getMetadata(MODULE_PATH, module)) as string | undefined;
  }
}

const textsOf = (key: string, target: object): string[] =>
  [Reflect.getMetadata(key, target) as string | string[]].flat();

type VersionValue = Parameters<typeof Version>[0];
const versionOf = (target: object): VersionValue | undefined =>
  Reflect.getMetadata(VERSION_METADATA, target) as VersionValue | undefined;
/** Stands for `handleConnection` of a gateway that has none. */
const NO_HANDLER = (): undefined => undefined;

function describeRoute(controller: Type, handler: Route['handler'], name: string): Route {
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? '';
  const path = [controller, handler]
    .flatMap((target) => Reflect.getMetadata(PATH_METADATA, target) as string | string[])
    .join('/')
    .replace(/\/{2,}/g, '/')
    .replace(/^\/|\/$/g, '');
  const parameters = Object.keys(
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as object | undefined) ?? {},
  ).map((key) => Number(key.split(':', 1)[0]));
  return {
    ...labelled('http', method, `/${path}`, controller, handler, name),
    writesResponse:
      [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].some((type) => parameters.includes(type)) &&
      Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) !== true,
    sendsEvents: Reflect.getMetadata(SSE_METADATA, handler) === true,
  };
}

function describeHandler(
  controller: Type,
  handler: Handler['handler'],
  name: string,
): Handler | undefined {
  const read = (key: string): unknown => Reflect.getMetadata(key, handler);
  const label = (kind: HandlerKind, method: string, path: unknown): Handler =>
    labelled(kind, method, asText(path), controller, handler, name);
  if (read(RPC_PATTERN) !== undefined)
    return label(
      'rpc',
      read(RPC_TYPE) === RPC_EVENT ? 'EVENT' : 'PATTERN',
      [read(RPC_PATTERN)].flat()[0],
    );
  if (read(WS_HANDLER) === true) return label('ws', 'MESSAGE', read(WS_MESSAGE));
  const type = read(RESOLVER_TYPE);
  const isField = read(RESOLVER_PROPERTY) === true || read(RESOLVER_REFERENCE) === true;
  if (type === undefined && !isField) return undefined;
  const field = asText(read(RESOLVER_NAME) ?? name);
  return label('graphql', isField ? 'Field' : asText(type), field);
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');

const labelled = (
  kind: HandlerKind,
  method: string,
  path: string,
  controller: Type,
  handler: Handler['handler'],
  name: string,
): Handler => ({
  kind,
  method,
  path,
  controller,
  handler,
  name,
  label: `${method} ${path} (${controller.name}.${name})`,
});
