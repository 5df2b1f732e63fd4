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

/** Options of {@link completeDocument}. */
export interface DocumentOptions {
  /** Document 429 at the token endpoints. Default: true where `ThrottleModule` limits them. */
  throttled?: boolean;
  /** Document 503 `overloaded`, which the gateway answers when it cannot serve a request in time. Default false. */
  shedsLoad?: boolean;
}

/**
 * Adds to an OpenAPI 3.0 document what the decorators of this package declare: tokens, roles and scopes, signed fields,
 * and their error answers, in the form of `ErrorFilter`.
 *
 * @param app an application with `AuthModule` or `SigningModule`
 * @param document the result of `SwaggerModule.createDocument`, made without an `operationIdFactory` of your own. It is
 * changed in place
 * @returns the document
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
  // `ModuleRef`, since an error in `app.get` ends the process (`abortOnError`).
  const modules = app.get(ModuleRef);
  return completeFrom(document, {
    routes: app.get(RouteExplorer, { strict: false }).routes(),
    reflector: app.get(Reflector),
    protectedRoutes: find(modules, ProtectedRoutes),
    signedRoutes: find(modules, SignedRoutes),
    throttled: throttled ?? find(modules, RequestLimit)?.enabled ?? false,
    shedsLoad,
    clients: clientsOf(find(modules, ClientRegistry)),
    hasBackend: find(modules, BACKEND_CLIENT) !== undefined,
  });
}

const clientsOf = (registry: ClientRegistry | undefined): DocumentSources['clients'] =>
  registry && { itself: registry.grantsItself() };

/** A provider of the application; `undefined` where its module is not imported. */
function find<T>(modules: ModuleRef, token: symbol | Abstract<T>): T | undefined {
  try {
    return modules.get<T>(token, { strict: false });
  } catch (error) {
    if (error instanceof UnknownElementException) return undefined;
    throw error;
  }
}
