import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestMethod, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  HEADERS_METADATA,
  HOST_METADATA,
  HTTP_CODE_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  REDIRECT_METADATA,
  RENDER_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ApplicationConfig, DiscoveryService } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';
import { isObservable, lastValueFrom } from 'rxjs';
import {
  AuthGuard,
  claimsOfContext,
  claimsOfRequest,
  type RouteProtection,
} from '../auth/index.js';
import { ErrorFilter, type GatewayError } from '../http/index.js';
import { RouteExplorer, type Route } from '../routes/index.js';
import { SigningInterceptor } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import { GatewayAdapter } from './gateway-adapter.js';
import { StraightRoutes, type ExpressHandler, type ExpressLayer } from './straight-routes.js';

type Wrapper = ReturnType<DiscoveryService['getControllers']>[number];
/** A method of Nest's adapters that is missing in their types. */
interface WithTrigger {
  getOnRouteTriggered?(): unknown;
}

/**
 * Replaces the pipeline of Nest (contexts, promises, rxjs) by {@link directHandler} for routes that have only guards
 * and interceptors of this package. For the gain see bench/README.md, 2026-11-28. A route with anything that is not
 * known here is left to Nest.
 *
 * @param app the application, initialized, not yet listening
 * @returns the routes that were replaced, in the gateway `POST /token` and `GET /private/custom`
 */
export function useDirectHandlers(app: NestExpressApplication): string[] {
  const adapter = app.getHttpAdapter();
  const { stack } = (adapter.getInstance() as unknown as { router: { stack: ExpressLayer[] } })
    .router;
  // An observer of the routes that Nest calls is registered.
  if ((adapter as WithTrigger).getOnRouteTriggered?.() !== undefined) return [];
  const config = app.get(ApplicationConfig, { strict: false });
  const explorer = app.get(RouteExplorer, { strict: false });
  const wrappers = app.get(DiscoveryService, { strict: false }).getControllers();
  const routes = explorer.routes().flatMap((route): [string, string][] => {
    const [path, ...others] = explorer.paths(route);
    const [wrapper, ...more] = wrappers.filter(({ metatype }) => metatype === route.controller);
    if (path === undefined || wrapper === undefined || others.length + more.length > 0) return [];
    const layers = stack.filter((layer) => layer.route?.path === path);
    const ofMethod = layers.flatMap((layer) =>
      layer.route?.methods[route.method.toLowerCase()] === true ? [layer.route] : [],
    );
    const [layer] = ofMethod[0]?.stack ?? [];
    if (layer === undefined || ofMethod.length !== 1 || ofMethod[0]?.stack.length !== 1) return [];
    const direct = directHandler(route, wrapper, config, (response, result, status) =>
      adapter.reply(response, result, status),
    );
    if (direct === undefined) return [];
    layer.handle = direct;
    return [[route.method, path]];
  });
  if (adapter instanceof GatewayAdapter) {
    const straight = new StraightRoutes(stack);
    for (const [method, path] of routes) straight.add(method, path);
    adapter.straight = straight;
  }
  return routes.map((route) => route.join(' '));
}

type Reply = (response: Response, result: unknown, status: number) => unknown;

/** Metadata of routes that do more than answer with the result of the handler. */
const SPECIAL = [REDIRECT_METADATA, RENDER_METADATA, SSE_METADATA, VERSION_METADATA, HOST_METADATA];

/** Does the steps of Nest for a route, in the same order. @returns `undefined` where one of them is not known here */
function directHandler(
  { controller, handler, name, method, writesResponse }: Route,
  wrapper: Wrapper,
  config: ApplicationConfig,
  reply: Reply,
): ExpressHandler | undefined {
  const instance = wrapper.instance as Record<string, unknown> | undefined;
  const enhancers = (key: string): unknown[] =>
    [controller, handler].flatMap(
      (target) => (Reflect.getMetadata(key, target) ?? []) as unknown[],
    );
  const filter = onlyFilter(config);
  const guards = guardsOf(enhancers(GUARDS_METADATA), wrapper, handler, controller);
  const interceptors = enhancers(INTERCEPTORS_METADATA);
  const args = argumentsOf(controller, name);
  if (
    !wrapper.isDependencyTreeStatic() ||
    instance?.constructor !== controller ||
    instance[name] !== handler ||
    filter === undefined ||
    guards === undefined ||
    args === undefined ||
    hasGlobals(config) ||
    [EXCEPTION_FILTERS_METADATA, PIPES_METADATA].some((key) => enhancers(key).length > 0) ||
    SPECIAL.some((key) =>
      [controller, handler].some((target) => Reflect.getMetadata(key, target) !== undefined),
    )
  )
    return undefined;
  let signing: SigningInterceptor | undefined;
  if (writesResponse) {
    if (interceptors.length > 0) return undefined;
  } else {
    // A signed result is a plain object. Other results, e.g. files and streams, are left to Nest.
    if (interceptors.length !== 1 || interceptors[0] !== SigningInterceptor) return undefined;
    signing = exactly(SigningInterceptor, wrapper);
    if (signing === undefined) return undefined;
  }
  const status = (Reflect.getMetadata(HTTP_CODE_METADATA, handler) ??
    (method === RequestMethod[RequestMethod.POST] ? 201 : 200)) as number;
  const headers = (Reflect.getMetadata(HEADERS_METADATA, handler) ?? []) as {
    name: string;
    value: string | (() => string);
  }[];
  const call = handler as (...values: unknown[]) => unknown;

  const admitted = async (
    request: IncomingMessage,
    response: ServerResponse,
    context: ExecutionContext,
  ): Promise<void> => {
    response.statusCode = status;
    for (const { name: header, value } of headers)
      response.setHeader(header, typeof value === 'function' ? value() : value);
    signing?.begin(context);
    const values = args.map((value) => value(request, response));
    const returned = await Reflect.apply(call, instance, values);
    const result: unknown = isObservable(returned)
      ? await lastValueFrom(returned, { defaultValue: undefined })
      : returned;
    if (signing !== undefined)
      reply(response as Response, await signing.signed(result, context), status);
  };

  const guarded = async (
    request: IncomingMessage,
    response: ServerResponse,
    context: ExecutionContext,
    first: number,
    waiting: Promise<GatewayError | undefined>,
  ): Promise<void> => {
    let refusal = await waiting;
    for (let index = first; refusal === undefined && index < guards.length; index++)
      refusal = await guards[index]?.(request, response, context);
    if (refusal !== undefined) filter.refuse(refusal, request, response);
    else await admitted(request, response, context);
  };

  // A request that is refused at once needs no promise.
  return (request, response, next) => {
    const failed = (error: unknown): void => filter.answer(error, request, response);
    try {
      const context = new ExecutionContextHost([request, response, next], controller, handler);
      for (let index = 0; index < guards.length; index++) {
        const verdict = guards[index]?.(request, response, context);
        if (verdict instanceof Promise)
          return guarded(request, response, context, index + 1, verdict).catch(failed);
        if (verdict !== undefined) return filter.refuse(verdict, request, response);
      }
      return admitted(request, response, context).catch(failed);
    } catch (error) {
      return failed(error);
    }
  };
}

/** True where the application has global enhancers beside the filter. */
const hasGlobals = (config: ApplicationConfig): boolean =>
  [
    config.getGlobalGuards(),
    config.getGlobalRequestGuards(),
    config.getGlobalInterceptors(),
    config.getGlobalRequestInterceptors(),
    config.getGlobalPipes(),
    config.getGlobalRequestPipes(),
    config.getGlobalRequestFilters(),
  ].some((list) => list.length > 0);

/** The global `ErrorFilter`, if it is the only filter. */
function onlyFilter(config: ApplicationConfig): ErrorFilter | undefined {
  const [filter, ...others] = config.getGlobalFilters();
  return others.length === 0 && filter instanceof ErrorFilter && filter.constructor === ErrorFilter
    ? filter
    : undefined;
}

/** The instance of an enhancer, if it is of exactly that class: a test may have overridden it. */
function exactly<T>(type: Type<T>, { host }: Wrapper): T | undefined {
  const instance: unknown = host?.injectables.get(type)?.instance;
  return (instance as object | undefined)?.constructor === type ? (instance as T) : undefined;
}

type Guard = (
  request: IncomingMessage,
  response: ServerResponse,
  context: ExecutionContext,
) => GatewayError | undefined | Promise<GatewayError | undefined>;

function guardsOf(
  types: readonly unknown[],
  wrapper: Wrapper,
  handler: Route['handler'],
  controller: Type,
): Guard[] | undefined {
  const guards = types.map((type) => {
    if (type === AuthGuard) {
      const guard = exactly(AuthGuard, wrapper);
      const protection = guard?.plainProtection(handler, controller);
      return guard && protection && checkBy(guard, protection);
    }
    const guard = type === TokenThrottleGuard ? exactly(TokenThrottleGuard, wrapper) : undefined;
    return guard && activateBy(guard);
  });
  return guards.every((guard) => guard !== undefined) ? guards : undefined;
}

const checkBy =
  (guard: AuthGuard, protection: RouteProtection): Guard =>
  (request, response) =>
    guard.check(request, response, protection);

/** A guard that refuses only by an exception. */
const activateBy =
  (guard: TokenThrottleGuard & CanActivate): Guard =>
  (_request, _response, context) => {
    const activated = guard.canActivate(context);
    return activated instanceof Promise ? activated.then(() => undefined) : undefined;
  };

type Argument = (request: IncomingMessage, response: ServerResponse) => unknown;

/** The functions that give the arguments of a handler; `undefined` where a parameter is not known here. */
function argumentsOf(controller: Type, name: string): Argument[] | undefined {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { index: number; data?: unknown; pipes?: unknown[]; schema?: unknown; factory?: unknown }
  >;
  const args: Argument[] = [];
  for (const [key, { index, data, pipes = [], schema, factory }] of Object.entries(metadata)) {
    const argument = argumentFor(key, data, factory);
    if (argument === undefined || pipes.length > 0 || schema !== undefined) return undefined;
    args[index] = argument;
  }
  return Array.from(args, (argument) => argument ?? NOTHING);
}

const NOTHING: Argument = () => undefined;

function argumentFor(key: string, data: unknown, factory: unknown): Argument | undefined {
  if (key.includes(CUSTOM_ROUTE_ARGS_METADATA)) {
    if (factory !== claimsOfContext || (data !== undefined && typeof data !== 'string'))
      return undefined;
    return (request) => claimsOfRequest(data, request);
  }
  if (data !== undefined) return undefined;
  switch (Number(key.split(':', 1)[0]) as RouteParamtypes) {
    case RouteParamtypes.REQUEST:
      return (request) => request;
    case RouteParamtypes.RESPONSE:
      return (_request, response) => response;
    case RouteParamtypes.BODY:
      return (request) => (request as IncomingMessage & { body?: unknown }).body;
    default:
      return undefined;
  }
}
