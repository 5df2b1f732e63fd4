import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { Public } from '../auth/index.js';
import { setResponseHeader } from '../http/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { Operation } from '../routes/index.js';
import { GET_JWKS } from './jwks.operations.js';

/** `GET /.well-known/jwks.json`: the public keys as a JWK Set (RFC 7517 section 5), for services that verify tokens. */
@Controller('.well-known')
@Public()
export class JwksController {
  constructor(private readonly keys: JwkKeyStore) {}

  @Get('jwks.json')
  @Operation(GET_JWKS)
  jwks(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
  ): string | undefined {
    const body = JSON.stringify(this.keys.publicJwks());
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    setResponseHeader(response, 'ETag', etag);
    setResponseHeader(response, 'Cache-Control', 'public, max-age=300');
    setResponseHeader(response, 'Access-Control-Allow-Origin', '*');
    if (matches(request.headers['if-none-match'], etag)) {
      response.statusCode = 304;
      return undefined;
    }
    setResponseHeader(response, 'Content-Type', 'application/json; charset=utf-8');
    return body;
  }
}

/** True where `If-None-Match` names the ETag, by weak comparison (RFC 9110 section 13.1.2). */
const matches = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch
    ?.split(',')
    .some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag) ?? false;
