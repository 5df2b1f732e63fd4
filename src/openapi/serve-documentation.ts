import cluster from 'node:cluster';
import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OpenAPIObject } from '@nestjs/swagger';
import { missingPackage, packageVersion } from '../packages/index.js';
import { completeDocument, type DocumentOptions } from './application-document.js';
import { groupOperations, nameOperations } from './group-operations.js';
import { operationId } from './complete-document.js';

/** What Swagger UI needs: its own scripts, inline styles, and icons in data URLs. */
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

type Swagger = typeof import('@nestjs/swagger');

/**
 * Serves Swagger UI at `/docs` and the OpenAPI document at `/docs-json`. Without `@nestjs/swagger`, an optional peer
 * dependency, it serves neither, and logs a warning with the command that installs it.
 */
export async function serveDocumentation(
  app: NestExpressApplication,
  options: DocumentOptions,
): Promise<void> {
  const swagger = await loadSwagger();
  if (swagger === undefined) return;
  app.use('/docs', (_request: unknown, response: ServerResponse, next: () => void) => {
    response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    next();
  });
  // The document is made for the first request: most processes get none.
  swagger.SwaggerModule.setup('docs', app, () => createDocument(swagger, app, options), {
    raw: ['json'],
    customSiteTitle: 'Signet',
    swaggerOptions: { displayRequestDuration: true, validatorUrl: 'none' },
  });
}

async function loadSwagger(): Promise<Swagger | undefined> {
  try {
    return await import('@nestjs/swagger');
  } catch (error) {
    const missing = await missingPackage(error);
    if (missing === undefined) throw error;
    // One warning for all workers.
    if ((cluster.worker?.id ?? 1) === 1)
      new Logger('OpenAPI').warn(
        `SWAGGER_ENABLED is true: there is no /docs, since ${missing}, or set SWAGGER_ENABLED=false.`,
      );
    return undefined;
  }
}

function createDocument(
  { DocumentBuilder, SwaggerModule }: Swagger,
  app: NestExpressApplication,
  options: DocumentOptions,
): OpenAPIObject {
  const info = new DocumentBuilder()
    .setTitle('Signet')
    .setDescription(
      'Token gateway. Every error is `{ error, error_description, code, request_id }`.',
    )
    .setVersion(packageVersion())
    .build();
  const document = SwaggerModule.createDocument(app, info, { operationIdFactory: operationId });
  document.servers = [{ url: '/' }];
  return nameOperations(
    groupOperations(completeDocument(app, document, { shedsLoad: true, ...options })),
  );
}
