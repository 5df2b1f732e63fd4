import type { ServerResponse } from 'node:http';
import { Reflector } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ProtectedRoutes } from '../auth/index.js';
import { RouteExplorer } from '../routes/index.js';
import { SignedRoutes } from '../signing/index.js';
import { completeDocument, operationId, type DocumentSources } from './complete-document.js';

/** Swagger UI brings scripts of its own, styles its elements and draws icons from data URLs; no more is needed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** Serves Swagger UI at `/docs` and the OpenAPI document at `/docs-json`. */
export function serveDocumentation(
  app: NestExpressApplication,
  options: Pick<DocumentSources, 'throttled'>,
): void {
  app.use('/docs', (_request: unknown, response: ServerResponse, next: () => void) => {
    response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    next();
  });
  // Made when it is first asked for: most processes never are.
  SwaggerModule.setup('docs', app, () => createDocument(app, options), {
    raw: ['json'],
    customSiteTitle: 'Signet',
    swaggerOptions: { displayRequestDuration: true, validatorUrl: 'none' },
  });
}

function createDocument(
  app: NestExpressApplication,
  options: Pick<DocumentSources, 'throttled'>,
): OpenAPIObject {
  const info = new DocumentBuilder()
    .setTitle('Signet')
    .setDescription(
      'Token gateway. Every error is `{ error, error_description, code, request_id }`.',
    )
    .build();
  const document = SwaggerModule.createDocument(app, info, { operationIdFactory: operationId });
  return completeDocument(document, {
    routes: app.get(RouteExplorer).routes(),
    reflector: app.get(Reflector),
    protectedRoutes: app.get(ProtectedRoutes),
    signedRoutes: app.get(SignedRoutes),
    ...options,
  });
}
