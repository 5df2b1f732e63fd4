import { Injectable, RequestMethod, type Type } from '@nestjs/common';
import {
  METHOD_METADATA,
  PATH_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/internal.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

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
}

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
