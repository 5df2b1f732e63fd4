import { createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';
import { MAX_TOKEN_LENGTH } from '../core/jws/index.js';
import { expressClasses, type ExpressApplication } from './express-prototypes.js';
import { replyWithJson } from './json-reply.js';
import { LoadShedder } from './load-shedder.js';
import { toOriginForm } from './origin-form.js';
import { limitServer, limitWriting, serverOptions } from './server-limits.js';

/** Nest's Express adapter over a server with limits, some of which can only be set when it is made. */
export class GatewayAdapter extends ExpressAdapter {
  readonly shedder = new LoadShedder();

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
    const server = createServer(options, (request, response) => {
      toOriginForm(request);
      if (!this.shedder.admit(request, response)) return;
      limitWriting(response);
      // Nest answers everything. If it ever does not, Express must not send a page of its own.
      application(request, response, () => response.destroy());
    });
    limitServer(server);
    server.once('listening', () => this.shedder.start());
    this.httpServer = server;
  }

  override reply(response: Response, body: unknown, statusCode?: number): unknown {
    if (replyWithJson(response, body, statusCode)) return undefined;
    return super.reply(response, body, statusCode) as unknown;
  }
}
