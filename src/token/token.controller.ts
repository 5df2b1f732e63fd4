import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Body,
  Controller,
  Header,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { BackendClient } from '../backend/index.js';
import { readTokenRequest, TokenSessions } from '../oauth/index.js';
import { SignFields, type SignedAnswer } from '../signing/index.js';
import { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';
import { TokenThrottle } from '../throttle/index.js';

/** What the backend answers: claims, and whatever else is to reach the client. */
export type TokenAnswer = Record<string, unknown>;

/** `POST /token`: asks the backend for claims; `@SignFields()` turns them into tokens. */
@Controller('token')
@UseGuards(TokenThrottle)
export class TokenController {
  constructor(
    @Inject(TOKEN_OPTIONS) private readonly options: TokenModuleOptions,
    private readonly backend: BackendClient,
    private readonly sessions: TokenSessions,
  ) {}

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @SignFields()
  async create(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Body() body?: unknown,
  ): Promise<TokenAnswer | SignedAnswer> {
    const contentType = request.headers['content-type'];
    const bytes = Buffer.isBuffer(body) ? body : undefined;
    const parameters = readTokenRequest(contentType, bytes);
    if (parameters('grant_type') === 'refresh_token')
      return this.sessions.refresh(request, response, parameters);
    const { method = 'POST', path } = this.options;
    const answer = await this.backend.call<TokenAnswer>({
      method,
      path,
      from: request,
      body: bytes,
      contentType,
    });
    this.sessions.begin(request, response);
    return answer.body;
  }
}
