import type { IncomingMessage } from 'node:http';
import { Controller, Get, Header, Inject, Optional, Req, type OnModuleInit } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ProtectedRoutes, Public } from '../auth/index.js';
import { requestPath } from '../core/verify/index.js';
import { GatewayException } from '../http/index.js';
import { Operation, RouteExplorer } from '../routes/index.js';
import { GET_RESOURCE_METADATA } from './protected-resource.operations.js';
import {
  PROTECTED_RESOURCE_OPTIONS,
  type ProtectedResourceModuleOptions,
} from './protected-resource.module-definition.js';
import {
  describeRoute,
  resourceMetadata,
  routesBelow,
  type ResourceRoute,
} from './resource-metadata.js';

/** Patterns of paths with 2 to 12 segments: Express and Fastify have different wildcards. */
const DEEPER = Array.from({ length: 11 }, (_, index) =>
  Array.from({ length: index + 2 }, (_segment, place) => `:p${place}`).join('/'),
);

/**
 * `GET /.well-known/oauth-protected-resource[/path]`: protected resource metadata (RFC 9728), made from the decorators
 * of the routes at the path and below it.
 */
@Controller('.well-known/oauth-protected-resource')
@Public()
export class ProtectedResourceController implements OnModuleInit {
  private readonly options: ProtectedResourceModuleOptions;
  private path = '';
  private routes: readonly ResourceRoute[] | undefined;

  constructor(
    @Optional()
    @Inject(PROTECTED_RESOURCE_OPTIONS)
    options: ProtectedResourceModuleOptions | undefined,
    private readonly protectedRoutes: ProtectedRoutes,
    private readonly explorer: RouteExplorer,
    private readonly reflector: Reflector,
  ) {
    this.options = options ?? {};
  }

  /** Makes challenges name this route as `resource_metadata`. */
  onModuleInit(): void {
    const [path = ''] = this.explorer.paths({
      controller: ProtectedResourceController,
      handler: Reflect.get(ProtectedResourceController.prototype, 'whole'),
    });
    this.path = path;
    this.protectedRoutes.serveMetadataAt(path);
  }

  /** The metadata of the whole application. */
  @Get()
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Access-Control-Allow-Origin', '*')
  @Operation(GET_RESOURCE_METADATA)
  whole(@Req() request: IncomingMessage): object {
    return this.metadata(request);
  }

  /** The metadata of the routes at a path and below it. */
  @Get(':path')
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Access-Control-Allow-Origin', '*')
  @Operation(GET_RESOURCE_METADATA)
  below(@Req() request: IncomingMessage): object {
    return this.metadata(request);
  }

  /** Like {@link below}, for paths of several segments. */
  @Get(DEEPER)
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Access-Control-Allow-Origin', '*')
  @Operation({ ...GET_RESOURCE_METADATA, hidden: true })
  deeper(@Req() request: IncomingMessage): object {
    return this.metadata(request);
  }

  private metadata(request: IncomingMessage): object {
    const base = this.protectedRoutes.baseUrl(request);
    // RFC 9728 section 3.1: a slash that is the whole path does not count, another one does.
    const asked = requestPath(request)?.slice(this.path.length).replace(/^\/$/, '');
    const routes = (this.routes ??= this.describeRoutes());
    if (base !== undefined && asked !== undefined)
      for (const path of candidates(asked, base)) {
        const below = routesBelow(path, routes);
        if (below.length > 0) return resourceMetadata(base + path, below, this.options);
      }
    throw new GatewayException({
      status: 404,
      error: 'invalid_request',
      code: 'not_found',
      description: 'No resource at this path needs a token.',
    });
  }

  private describeRoutes(): ResourceRoute[] {
    return this.explorer.routes().flatMap((route) => {
      const policy =
        this.protectedRoutes.policyOf(route) ??
        (this.reflector.get(Operation, route.handler)?.takesToken === true
          ? this.protectedRoutes.defaults()
          : undefined);
      return policy === undefined
        ? []
        : this.explorer.paths(route).map((path) => describeRoute(path, policy));
    });
  }
}

/**
 * The paths to look for. Clients include the path of the public URL, which a proxy may have removed from the routes.
 */
function candidates(path: string, base: string): string[] {
  const { pathname } = new URL(base);
  return pathname !== '/' && `${path}/`.startsWith(`${pathname}/`)
    ? [path.slice(pathname.length), path]
    : [path];
}
