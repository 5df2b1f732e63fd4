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
import { Operation } from '../routes/index.js';
import { markLogin } from '../http/index.js';
import { readTokenRequest } from './token-request.js';
import { TokenSessions } from './token-sessions.service.js';
import { SignFields, type SignedAnswer, type UnsignedAnswer } from '../signing/index.js';
import type { TokenAnswer } from './token-answer.js';
import { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';
import { TokenThrottle } from '../throttle/index.js';

const TOKEN_REQUEST = {
  type: 'object',
  description: 'The backend reads what it needs; this is what it usually is.',
  properties: {
    grant_type: { type: 'string', example: 'password' },
    username: { type: 'string', example: 'alice' },
    password: { type: 'string', format: 'password', example: 'wonderland' },
    // Empty examples: the page would fill in the word "string".
    scope: { type: 'string', example: '' },
    client_id: { type: 'string', example: '' },
    client_secret: { type: 'string', format: 'password', example: '' },
    refresh_token: { type: 'string', example: '', description: 'for grant_type=refresh_token' },
  },
  additionalProperties: true,
};

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
  @Operation({
    summary: 'Log in: the claims that the backend decides come back as tokens.',
    description: 'The body is optional and reaches the backend byte for byte.',
    body: {
      content: {
        'application/x-www-form-urlencoded': TOKEN_REQUEST,
        'application/json': TOKEN_REQUEST,
      },
    },
    answers: {
      200: {
        description: "The backend's answer, signed (RFC 6749 section 5.1).",
        schema: {
          type: 'object',
          properties: {
            token_type: { type: 'string', example: 'Bearer' },
            expires_in: { type: 'integer', description: 'seconds' },
          },
          additionalProperties: true,
        },
      },
    },
    errors: {
      400: [
        'parameter_repeated',
        'grant_unsupported',
        'refresh_token_invalid',
        'refresh_token_reused',
      ],
      503: ['state_unavailable'],
    },
    callsBackend: true,
  })
  async create(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Body() body?: unknown,
  ): Promise<TokenAnswer | UnsignedAnswer | SignedAnswer> {
    const contentType = request.headers['content-type'];
    const bytes = Buffer.isBuffer(body) ? body : undefined;
    const parameters = readTokenRequest(contentType, bytes);
    if (parameters('grant_type') === 'refresh_token')
      return this.sessions.refresh(request, response, parameters);
    markLogin(request);
    const { method = 'POST', path } = this.options;
    const answer = await this.backend.call<TokenAnswer>({
      method,
      path,
      from: request,
      body: bytes,
      contentType,
    });
    return this.sessions.begin(response, answer.body);
  }
}
