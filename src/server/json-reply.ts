import type { Response } from 'express';
import { endInBatch } from '../http/index.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Sends plain JSON past `res.send` of Express, whose ETag, content negotiation and charset handling
 * change nothing about it here: -7 % CPU of `POST /token` by itself, -32 % with `endInBatch`, which
 * `res.send` cannot use (bench/README.md, 2026-11-27).
 *
 * @returns false for what is not plain JSON, or is no answer with a body: Express has to send it
 */
export function replyWithJson(response: Response, body: unknown, statusCode?: number): boolean {
  const text = jsonText(response, body, statusCode ?? response.statusCode);
  if (text === undefined) return false;
  if (statusCode !== undefined) response.statusCode = statusCode;
  response.setHeader('Content-Length', Buffer.byteLength(text));
  endInBatch(response, text);
  return true;
}

/** Returns the JSON to send; `undefined` if the value is not plain JSON, or the answer has no body. */
function jsonText(response: Response, body: unknown, statusCode: number): string | undefined {
  if (response.req.method === 'HEAD' || statusCode === 204 || statusCode === 304) return undefined;
  const type = response.getHeader('Content-Type');
  if (typeof body === 'string')
    return typeof type === 'string' && type.startsWith('application/json') ? body : undefined;
  if (type !== undefined || !isPlain(body)) return undefined;
  response.setHeader('Content-Type', JSON_TYPE);
  return JSON.stringify(body);
}

/** True for an object literal or a list, not for an object of another class. */
function isPlain(body: unknown): body is object {
  if (body === null || typeof body !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(body);
  return prototype === Object.prototype || Array.isArray(body);
}
