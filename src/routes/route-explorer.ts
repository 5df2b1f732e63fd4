import { Injectable, RequestMethod, type Type } from '@nestjs/common';
import {
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes, type VersionValue } from '@nestjs/common/internal.js';
import {
  ApplicationConfig,
  DiscoveryService,
  MetadataScanner,
  ModulesContainer,
} from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';

/** A route of the application, as its decorators declare it. */
export interface Route {
  controller: Type;
  handler: (...args: never[]) => unknown;
  /** For messages: `POST /token (TokenController.create)`. */
  label: string;
  /** The handler writes the response itself (`@Res()` without passthrough, `@Next()`). */
  writesResponse: boolean;
}

/** Lists the routes of all controllers, so that decorators can be checked when the application starts. */
@Injectable()
export class RouteExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  routes(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      const controller = metatype as Type | null;
      if (controller === null) return [];
      const prototype = controller.prototype as Record<string, Route['handler']>;
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        return handler !== undefined && Reflect.hasMetadata(METHOD_METADATA, handler)
          ? [describeRoute(controller, handler, name)]
          : [];
      });
    });
  }

  /**
   * The paths under which a handler is served, as Nest registers them: below the global prefix, the path of
   * its module and the version in the URL. Known once the application is initialized.
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

const versionOf = (target: object): VersionValue | undefined =>
  Reflect.getMetadata(VERSION_METADATA, target) as VersionValue | undefined;

function describeRoute(controller: Type, handler: Route['handler'], name: string): Route {
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number];
  const path = [controller, handler]
    .flatMap((target) => Reflect.getMetadata(PATH_METADATA, target) as string | string[])
    .join('/')
    .replace(/\/{2,}/g, '/')
    .replace(/^\/|\/$/g, '');
  const parameters = Object.keys(
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as object | undefined) ?? {},
  ).map((key) => Number(key.split(':', 1)[0]));
  return {
    controller,
    handler,
    label: `${method} /${path} (${controller.name}.${name})`,
    writesResponse:
      [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].some((type) => parameters.includes(type)) &&
      Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) !== true,
  };
}
