import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body, Controller, HttpCode, Inject, Post, Req, Res, UseGuards } from '@nestjs/common';
import { Public } from '../auth/index.js';
import { BackendClient } from '../backend/index.js';
import { markLogin } from '../http/index.js';
import { Operation } from '../routes/index.js';
import { SignFields, type SignedAnswer, type UnsignedAnswer } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import type { TokenAnswer } from './token-answer.js';
import { readTokenRequest } from './token-request.js';
import { TokenSessions } from './token-sessions.service.js';
import { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';
import { CREATE_TOKEN } from './token.operations.js';

/** `POST /token`: asks the backend for claims; `@SignFields()` turns them into tokens. */
@Controller('token')
@Public()
@UseGuards(TokenThrottleGuard)
export class TokenController {
  constructor(
    @Inject(TOKEN_OPTIONS) private readonly options: TokenModuleOptions,
    private readonly backend: BackendClient,
    private readonly sessions: TokenSessions,
  ) {}

  @Post()
  @HttpCode(200)
  @SignFields()
  @Operation(CREATE_TOKEN)
  async create(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Body() body?: unknown,
  ): Promise<TokenAnswer | UnsignedAnswer | SignedAnswer> {
    const bytes = Buffer.isBuffer(body) ? body : undefined;
    const contentType = request.headers['content-type'];
    const parameters = readTokenRequest(contentType, bytes);
    if (parameters('grant_type') === 'refresh_token')
      return this.sessions.refresh(request, response, parameters);
    markLogin(request);
    const { method = 'POST', path } = this.options;
    const call = { method, path, from: request, body: bytes, contentType };
    const answer = await this.backend.call<TokenAnswer>(call);
    return this.sessions.begin(response, answer.body);
  }
}
