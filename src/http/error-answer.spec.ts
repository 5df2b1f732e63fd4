import {
  BadRequestException,
  ConflictException,
  ForbiddenException,
  HttpException,
  InternalServerErrorException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { errorAnswer, toGatewayError } from './error-answer.js';
import { GatewayException, type GatewayError } from './gateway.exception.js';

const REFUSAL: GatewayError = {
  status: 401,
  error: 'invalid_token',
  code: 'token_expired',
  description: 'The token cannot be used.',
  explanation: "claim 'exp' is past",
  headers: { 'WWW-Authenticate': 'Bearer' },
};
const INTERNAL_TEXT = 'Something went wrong in the gateway.';
const bodyOf = (...args: Parameters<typeof errorAnswer>): unknown =>
  JSON.parse(errorAnswer(...args).body);

describe('errorAnswer', () => {
  it('has the headers of all errors, and those of its own', () => {
    const { status, headers, body } = errorAnswer(REFUSAL, 'r-1');
    expect(status).toBe(401);
    expect(headers).toEqual({
      'WWW-Authenticate': 'Bearer',
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': 'r-1',
    });
  });

  it('tells which check a token failed only where that is explained', () => {
    expect(bodyOf(REFUSAL, 'r-1')).toEqual({
      error: 'invalid_token',
      error_description: 'The token cannot be used.',
      code: 'invalid_token',
      request_id: 'r-1',
    });
    expect(bodyOf(REFUSAL, 'r-1', true)).toEqual({
      error: 'invalid_token',
      error_description: "claim 'exp' is past",
      code: 'token_expired',
      request_id: 'r-1',
    });
    const other = { ...REFUSAL, error: 'server_error', explanation: undefined };
    expect(bodyOf(other, 'r-1', true)).toMatchObject({
      error_description: 'The token cannot be used.',
      code: 'token_expired',
    });
  });

  it('names no error where there is none (RFC 6750 section 3.1)', () => {
    expect(bodyOf({ ...REFUSAL, error: undefined, code: 'token_missing' }, 'r')).toEqual({
      error_description: 'The token cannot be used.',
      code: 'token_missing',
      request_id: 'r',
    });
  });

  it('counts bytes, passes a body on as it is, and closes where the rest is not read', () => {
    const own = errorAnswer({ ...REFUSAL, body: '{"a":"ä"}' }, 'r');
    expect([own.body, own.headers['Content-Length']]).toEqual(['{"a":"ä"}', '10']);
    expect(own.headers.Connection).toBeUndefined();
    expect(errorAnswer({ ...REFUSAL, status: 413 }, 'r').headers.Connection).toBe('close');
  });
});

describe('toGatewayError', () => {
  it.each([
    ['an exception of ours', new GatewayException(REFUSAL), REFUSAL],
    [
      'a refusal of Nest',
      new BadRequestException(['a is missing', 'b is too long']),
      { status: 400, code: 'body_malformed', description: 'a is missing; b is too long' },
    ],
    [
      'a refusal with a text',
      new HttpException('Gone.', 410),
      { status: 410, error: 'invalid_request', code: 'request_invalid', description: 'Gone.' },
    ],
    [
      'a refusal with a code of its own',
      new ForbiddenException('No.', { errorCode: 'too_young' }),
      { status: 403, error: 'access_denied', code: 'too_young', description: 'No.' },
    ],
    [
      'a refusal with an object of its own',
      new HttpException({ why: 'so' }, 400),
      { status: 400, code: 'body_malformed', body: '{"why":"so"}' },
    ],
    [
      'a conflict with a code and details',
      new ConflictException({ code: 'taken', details: ['name'] }),
      { status: 409, code: 'request_invalid', body: '{"code":"taken","details":["name"]}' },
    ],
    [
      'a failure with an object of its own',
      new ServiceUnavailableException({ status: 'error', info: {} }),
      { status: 503, code: 'unavailable', body: '{"status":"error","info":{}}' },
    ],
    [
      'an overload',
      new ServiceUnavailableException('Later.'),
      { status: 503, error: 'temporarily_unavailable', code: 'unavailable', description: 'Later.' },
    ],
    [
      'a failure of Nest, whose text stays here',
      new InternalServerErrorException('password=hunter2'),
      { status: 500, error: 'server_error', code: 'internal', description: INTERNAL_TEXT },
    ],
    [
      'an error of a body parser',
      Object.assign(new Error('too large'), { status: 413, expose: true }),
      { status: 413, code: 'body_too_large', description: 'too large' },
    ],
    [
      'one whose text is not for everybody',
      Object.assign(new Error('/etc/passwd'), { status: 400 }),
      { status: 400, code: 'body_malformed', description: 'The request is not valid.' },
    ],
  ])('%s', (_name, thrown, expected) => {
    expect(toGatewayError(thrown)).toMatchObject(expected);
  });

  it.each([
    new Error('password=hunter2'),
    Object.assign(new Error('x'), { status: 500, expose: true }),
    Object.assign(new Error('x'), { status: '404' }),
    'text',
    undefined,
    null,
    42,
  ])('whatever else is thrown is internal: %s', (thrown) => {
    expect(toGatewayError(thrown)).toEqual({
      status: 500,
      error: 'server_error',
      code: 'internal',
      description: INTERNAL_TEXT,
    });
  });
});
