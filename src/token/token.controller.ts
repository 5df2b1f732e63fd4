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
import { BackendClient, BackendRefusedException } from '../backend/index.js';
import { addBackendHeaders, markLogin } from '../http/index.js';
import { Operation } from '../routes/index.js';
import { SignFields, type SignedAnswer, type UnsignedAnswer } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import type { TokenAnswer } from './token-answer.js';
import { isBasic, loginRefusal } from './login-refusal.js';
import { bodyBytes, readTokenRequest } from './token-request.js';
import { TokenSessions } from './token-sessions.service.js';
import { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';
import { CREATE_TOKEN } from './token.operations.js';

/** `POST /token`: asks the backend for claims; `@SignFields()` turns them into tokens. */
@Controller('token')
@UseGuards(TokenThrottleGuard)
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
  @Operation(CREATE_TOKEN)
  async create(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Body() body?: unknown,
  ): Promise<TokenAnswer | UnsignedAnswer | SignedAnswer> {
    const bytes = bodyBytes(request, body);
    const { 'content-type': contentType, authorization } = request.headers;
    const parameters = readTokenRequest(contentType, bytes);
    // Who the client is, the login decides.
    if (authorization !== undefined && isBasic(request))
      addBackendHeaders(request, { authorization });
    if (parameters('grant_type') === 'refresh_token')
      return this.sessions.refresh(request, response, parameters);
    markLogin(request);
    const { method = 'POST', path, errors = 'pass' } = this.options;
    const call = { method, path, from: request, body: bytes, contentType };
    const answer = await this.backend.call<TokenAnswer>(call).catch((error: unknown) => {
      throw error instanceof BackendRefusedException
        ? loginRefusal(error, errors, request, parameters)
        : error;
    });
    return this.sessions.begin(response, answer.body);
  }
}
