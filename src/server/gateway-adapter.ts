import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';
import { endTogether } from '../http/index.js';
import { LoadShedder } from './load-shedder.js';
import { limitServer, limitWriting, SERVER_OPTIONS } from './server-limits.js';

/** What @types/express does not say of an application. */
interface ExpressApplication {
  (request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Prototypes that it gives to requests and responses. */
  request: object;
  response: object;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Nest's Express adapter over a server with limits, some of which can only be set when it is made. */
export class GatewayAdapter extends ExpressAdapter {
  readonly shedder = new LoadShedder();

  override initHttpServer(): void {
    const application = this.getInstance<ExpressApplication>();
    const options = { ...SERVER_OPTIONS, ...expressClasses(application) };
    const server = createServer(options, (request, response) => {
      if (!this.shedder.admit(request, response)) return;
      limitWriting(response);
      // Nest answers everything; with a callback, Express does not prepare to do it.
      application(request, response, () => response.destroy());
    });
    limitServer(server);
    server.once('listening', () => this.shedder.start());
    this.httpServer = server;
  }

  /**
   * Plain JSON goes straight to the socket: no ETag is made and no content negotiation done, which
   * is what the rest of `res.send` is about. Everything else is Express's business.
   */
  override reply(response: Response, body: unknown, statusCode?: number): unknown {
    const text = jsonText(response, body);
    if (text === undefined) return super.reply(response, body, statusCode) as unknown;
    if (statusCode !== undefined) response.statusCode = statusCode;
    response.setHeader('Content-Length', Buffer.byteLength(text));
    endTogether(response, text);
    return undefined;
  }
}

/**
 * Express gives each request and response its own prototype, for which V8 drops what it knows of
 * them; here they are born with it.
 */
function expressClasses(application: ExpressApplication) {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse<ExpressRequest> {}
  Object.setPrototypeOf(ExpressRequest.prototype, application.request);
  Object.setPrototypeOf(ExpressResponse.prototype, application.response);
  Object.assign(application, {
    request: ExpressRequest.prototype,
    response: ExpressResponse.prototype,
  });
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}

/** The JSON to send; `undefined` for what is not plainly JSON, or is no answer with a body. */
function jsonText(response: Response, body: unknown): string | undefined {
  const { statusCode, req } = response;
  if (req.method === 'HEAD' || statusCode === 204 || statusCode === 304) return undefined;
  const type = response.getHeader('Content-Type');
  if (typeof body === 'string')
    return typeof type === 'string' && type.startsWith('application/json') ? body : undefined;
  if (type !== undefined || !isPlain(body)) return undefined;
  response.setHeader('Content-Type', JSON_TYPE);
  return JSON.stringify(body);
}

/** An object literal, or a list: nothing with a class of its own. */
function isPlain(body: unknown): body is object {
  if (body === null || typeof body !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(body);
  return prototype === Object.prototype || Array.isArray(body);
}
