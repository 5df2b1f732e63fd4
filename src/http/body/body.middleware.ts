import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  bodyParser,
  hasBody,
  readBody,
  RequestBodyException,
  type BodyParser,
} from './request-body.js';

type WithBody = IncomingMessage & { body?: unknown; rawBody?: Buffer };

type Next = (error?: unknown) => void;

const asItIs: BodyParser = (body) => body;

/**
 * Reads request bodies within `limit` bytes into `request.body`: as a Buffer where `isRaw` returns true, else JSON and
 * forms as values, with their bytes in `request.rawBody`. Bodies of other types are left to the handler of the route.
 */
export function bodyMiddleware(limit: number, isRaw: (request: IncomingMessage) => boolean) {
  const readThen = async (request: WithBody, next: Next): Promise<void> => {
    try {
      const parse = isRaw(request) ? asItIs : bodyParser(request.headers['content-type']);
      if (parse !== undefined) {
        const bytes = await readPlain(request, limit);
        request.rawBody = bytes;
        request.body = parse(bytes);
      }
    } catch (error) {
      next(error);
      return;
    }
    next();
  };
  return (request: WithBody, _response: ServerResponse, next: Next): void => {
    if (hasBody(request)) void readThen(request, next);
    else next();
  };
}

async function readPlain(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  if (encoding.toLowerCase() !== 'identity')
    throw new RequestBodyException(
      415,
      'media_type_unsupported',
      'Send the body without a content encoding.',
    );
  return readBody(request, limit);
}
