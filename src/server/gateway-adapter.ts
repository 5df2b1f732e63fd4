import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Duplex } from 'node:stream';
import type { Response } from 'express';
import { MAX_TOKEN_LENGTH } from '../core/jws/index.js';
import { errorAnswer, lingerOnClose, requestContext, type GatewayError } from '../http/index.js';
import { answerConnect } from './client-error.js';
import { continueWhenRead } from './continue-when-read.js';
import { expressClasses, type ExpressApplication } from './express-prototypes.js';
import { withoutForwardedPorts } from './forwarded-for.js';
import { replyWithJson } from './json-reply.js';
import { LoadShedder } from './limits/load-shedder.js';
import { toOriginForm } from './origin-form.js';
import { PipelineLimit } from './limits/pipeline-limit.js';
import { EXPECTATION, requestProblem } from './request-checks.js';
import type { StraightRoutes } from './straight-routes.js';
import { limitServer, limitWriting, serverOptions } from './limits/server-limits.js';

/** Nest's Express adapter, over a server with limits. Some of them can only be set when the server is created. */
export class GatewayAdapter extends ExpressAdapter {
  readonly shedder = new LoadShedder();
  /** Routes that are served without the router of Express. */
  straight: StraightRoutes | undefined = undefined;
  /** Called with the error code of each request that is refused before it reaches the application. */
  onRefused: (code: string) => void = () => undefined;

  /**
   * @param application an Express application; default: a new one
   * @param maxTokenLength characters of the longest token that a header may carry
   */
  constructor(
    application?: unknown,
    private readonly maxTokenLength = MAX_TOKEN_LENGTH,
  ) {
    super(application);
  }

  override initHttpServer(): void {
    const application = this.getInstance<ExpressApplication>();
    const options = { ...serverOptions(this.maxTokenLength), ...expressClasses(application) };
    const pipelined = new PipelineLimit(() => this.onRefused('requests_pipelined'));
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      // A response has a socket only after all earlier requests of the connection are answered.
      if (response.socket === null && !pipelined.admit(request, response)) return;
      toOriginForm(request);
      const problem = requestProblem(request);
      if (problem !== undefined) {
        this.refuse(problem, request, response);
        return;
      }
      withoutForwardedPorts(request);
      if (!this.shedder.admit(request, response)) return;
      limitWriting(response);
      if (this.straight?.serve(request, response) === true) return;
      // Nest answers everything. If it ever does not, Express must not send a page of its own.
      application(request, response, () => response.destroy());
    };
    const server = createServer(options, serve);
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      continueWhenRead(request, response);
      serve(request, response);
    });
    server.on('connect', (_request, socket: Duplex) => this.onRefused(answerConnect(socket)));
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.refuse(EXPECTATION, request, response),
    );
    limitServer(server);
    server.once('listening', () => this.shedder.start());
    server.once('close', () => this.shedder.stop());
    this.httpServer = server;
  }

  private refuse(problem: GatewayError, request: IncomingMessage, response: ServerResponse): void {
    this.onRefused(problem.code);
    const { status, headers, body } = errorAnswer(problem, requestContext(request).id);
    lingerOnClose(request);
    response.writeHead(status, headers).end(body);
  }

  override reply(response: Response, body: unknown, statusCode?: number): unknown {
    if (replyWithJson(response, body, statusCode)) return undefined;
    return super.reply(response, body, statusCode) as unknown;
  }
}
