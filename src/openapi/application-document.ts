import type { Abstract, INestApplicationContext } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { UnknownElementException } from '@nestjs/core/errors/exceptions/unknown-element.exception.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ProtectedRoutes } from '../auth/index.js';
import { ClientRegistry } from '../clients/index.js';
import { BACKEND_CLIENT } from '../http/index.js';
import { RouteExplorer } from '../routes/index.js';
import { SignedRoutes } from '../signing/index.js';
import { RequestLimit } from '../throttle/index.js';
import { completeFrom, type DocumentSources } from './complete-document.js';

/** What the routes of an application do not tell. */
export interface DocumentOptions {
  /** Requests to the token endpoints are limited. Default: as `ThrottleModule` says. */
  throttled?: boolean;
  /** Requests that cannot be served in time are refused (503 `overloaded`), as the gateway does. Default false. */
  shedsLoad?: boolean;
}

/**
 * Adds to an OpenAPI 3.0 document what the decorators of this package know: tokens, roles and scopes, signed fields,
 * and every answer that comes of them. Errors are described as `ErrorFilter` answers them.
 *
 * @param app with `AuthModule` or `SigningModule`
 * @param document of `SwaggerModule.createDocument`, made without an `operationIdFactory` of your own; it is
 * changed in place
 * @example
 * ```ts
 * SwaggerModule.setup('docs', app, () =>
 *   completeDocument(app, SwaggerModule.createDocument(app, new DocumentBuilder().build())),
 * );
 * ```
 */
export function completeDocument(
  app: INestApplicationContext,
  document: OpenAPIObject,
  { throttled, shedsLoad = false }: DocumentOptions = {},
): OpenAPIObject {
  // What is thrown within a method of `app` itself ends the process (`abortOnError`).
  const modules = app.get(ModuleRef);
  return completeFrom(document, {
    routes: app.get(RouteExplorer, { strict: false }).routes(),
    reflector: app.get(Reflector),
    protectedRoutes: found(modules, ProtectedRoutes),
    signedRoutes: found(modules, SignedRoutes),
    throttled: throttled ?? found(modules, RequestLimit)?.enabled ?? false,
    shedsLoad,
    clients: clientsOf(found(modules, ClientRegistry)),
    hasBackend: found(modules, BACKEND_CLIENT) !== undefined,
  });
}

const clientsOf = (registry: ClientRegistry | undefined): DocumentSources['clients'] =>
  registry && { itself: registry.grantsItself() };

/** A provider of the application, if its module is imported. */
function found<T>(modules: ModuleRef, token: symbol | Abstract<T>): T | undefined {
  try {
    return modules.get<T>(token, { strict: false });
  } catch (error) {
    if (error instanceof UnknownElementException) return undefined;
    throw error;
  }
}
