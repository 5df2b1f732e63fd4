import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseForm } from 'node:querystring';
import { GatewayException } from './gateway.exception.js';
import { hasBody, readBody } from './read-body.js';

type WithBody = IncomingMessage & { body?: unknown };

type Next = (error?: unknown) => void;

const refuse = (status: number, code: string, description: string): GatewayException =>
  new GatewayException({ status, error: 'invalid_request', code, description });

/**
 * Reads request bodies within `limit` bytes into `request.body`: as a Buffer where `isRaw` says so,
 * else JSON and forms as values. Other types are left to whoever handles the route.
 */
export function bodyMiddleware(limit: number, isRaw: (url: string) => boolean) {
  const readThen = async (request: WithBody, next: Next): Promise<void> => {
    try {
      await read(request, limit, isRaw);
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

async function read(
  request: WithBody,
  limit: number,
  isRaw: (url: string) => boolean,
): Promise<void> {
  const parse = isRaw(request.url ?? '') ? (body: Buffer) => body : parserOf(request);
  if (parse === undefined) return;
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  if (encoding !== 'identity')
    throw refuse(415, 'media_type_unsupported', 'Send the body without a content encoding.');
  request.body = parse(await readBody(request, limit));
}

function parserOf({ headers }: IncomingMessage): ((body: Buffer) => unknown) | undefined {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return (body) => parseJson(toText(body));
  return type === 'application/x-www-form-urlencoded'
    ? (body) => parseForm(toText(body))
    : undefined;
}

function toText(body: Buffer): string {
  if (!isUtf8(body)) throw refuse(400, 'body_malformed', 'The body is not UTF-8.');
  return body.toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refuse(400, 'body_malformed', 'The body is not valid JSON.');
  }
}
