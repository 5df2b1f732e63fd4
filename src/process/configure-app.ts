import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { SecurityHeadersOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request } from 'express';
import { corsOptions, withVariableNames } from '../config/index.js';
import type { Environment } from '../environment/index.js';
import {
  allowedMethods,
  REQUEST_TRACER,
  type RoutedApplication,
  type RequestTracer,
  bodyMiddleware,
  corsHeaders,
  corsMiddleware,
  type CorsHeaders,
  ErrorFilter,
  inOne,
  inTurn,
  publicDocumentsMiddleware,
  requestContextMiddleware,
  requestEndMiddleware,
  type RequestListener,
} from '../http/index.js';
import { answerClientError, GatewayAdapter } from '../server/index.js';
import { Readiness } from '../health/index.js';
import type { Log } from '../logging/index.js';
import { accessLog } from '../access-log/index.js';
import { GatewayMetrics } from '../metrics/index.js';

/** `POST /token` forwards its body byte for byte, so the body must not be parsed. */
const RAW_BODY_PATHS = /^\/token(?:\/|$)/i;

/** The security headers that matter for an API. The other usual ones concern HTML pages. */
const SECURITY_HEADERS: SecurityHeadersOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: "'none'", frameAncestors: "'none'" },
  },
  // The gateway must not decide for the subdomains of its host.
  strictTransportSecurity: { includeSubDomains: false },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  // The header need not be removed: `configureApp` makes Express not write it.
  xPoweredBy: false,
  xXssProtection: false,
};

/** Sets up everything between the socket and the controllers, for `main` and for the tests. */
export function configureApp(app: NestExpressApplication, env: Environment, log: Log): void {
  app.disable('etag');
  app.disable('x-powered-by');
  if (env.TRUST_PROXY !== undefined) app.set('trust proxy', env.TRUST_PROXY);
  app.useSecurityHeaders(SECURITY_HEADERS);
  const metrics = app.get(GatewayMetrics);
  metrics.countDroppedLines(log.dropped);
  const readiness = app.get(Readiness);
  const listeners: RequestListener[] = [accessLog(log.pino, log.line), metrics.finished];
  const steps: Parameters<typeof inOne>[0][number][] = [
    requestContextMiddleware,
    (_request, response) => {
      // Makes clients with keep-alive connections switch to another instance in time.
      if (readiness.shuttingDown) response.setHeader('Connection', 'close');
    },
  ];
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) {
    const tracer = app.get<RequestTracer>(REQUEST_TRACER);
    steps.push(tracer.begin.bind(tracer));
    listeners.push(tracer.end.bind(tracer));
  }
  steps.push(requestEndMiddleware(...listeners));
  // Tests the same path as Express's router, so that the two never disagree.
  const isRaw = (request: IncomingMessage): boolean =>
    RAW_BODY_PATHS.test((request as Request).path);
  const body = bodyMiddleware(env.BODY_LIMIT, isRaw);
  const options = corsOptions(env);
  const cors = options === undefined ? undefined : corsHeaders(options);
  const pages = cors === undefined ? publicDocumentsMiddleware() : corsMiddleware(cors);
  app.use(inOne(steps, inTurn(pages, body)));
  app.useGlobalFilters(new ErrorFilter({ explain: env.ERRORS_EXPLAIN, reword: withVariableNames }));
  countRefusals(app, metrics, cors);
}

/** Counts requests and connections that are refused before they reach the application. */
function countRefusals(
  app: NestExpressApplication,
  metrics: GatewayMetrics,
  cors: CorsHeaders | undefined,
): void {
  const server = app.getHttpServer();
  const express: unknown = app.getHttpAdapter().getInstance();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const code = answerClientError(error, socket, (path) =>
      allowedMethods(express as RoutedApplication, path),
    );
    if (code !== undefined) metrics.refusal(code);
  });
  server.on('drop', () => metrics.refusal('connections_exceeded'));
  const adapter = app.getHttpAdapter();
  if (adapter instanceof GatewayAdapter) {
    adapter.onRefused = (code) => metrics.refusal(code);
    adapter.shedder.onShed = (request, response) => {
      metrics.refusal('overloaded');
      cors?.(request, response);
    };
  }
}
