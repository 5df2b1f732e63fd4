import type { IncomingMessage } from 'node:http';
import { Body, Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { BackendClient } from '../backend/index.js';
import { SignFields } from '../signing/index.js';
import { readTokenRequest } from './token-request.js';
import { TokenRequestRefused } from './token-request.errors.js';
import { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';

/** What the backend answers: claims, and whatever else is to reach the client. */
export type TokenAnswer = Record<string, unknown>;

/** `POST /token`: asks the backend for claims; `@SignFields()` turns them into tokens. */
@Controller('token')
export class TokenController {
  constructor(
    @Inject(TOKEN_OPTIONS) private readonly options: TokenModuleOptions,
    private readonly backend: BackendClient,
  ) {}

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @SignFields()
  async create(@Req() request: IncomingMessage, @Body() body?: unknown): Promise<TokenAnswer> {
    const contentType = request.headers['content-type'];
    const bytes = Buffer.isBuffer(body) ? body : undefined;
    if (readTokenRequest(contentType, bytes).grantType === 'refresh_token')
      throw new TokenRequestRefused('grant_unsupported', 'Refresh is not switched on here.');
    const { method = 'POST', path } = this.options;
    const answer = await this.backend.call<TokenAnswer>({
      method,
      path,
      from: request,
      body: bytes,
      contentType,
    });
    return answer.body;
  }
}
