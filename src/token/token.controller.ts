import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Body,
  Controller,
  HttpCode,
  Inject,
  Optional,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { Public } from '../auth/index.js';
import type { BackendClient } from '../backend/index.js';
import { ClientAuthentication, hasClientCredentials } from '../clients/index.js';
import type { Client } from '../core/clients/index.js';
import { BACKEND_CLIENT, markLogin } from '../http/index.js';
import { Operation } from '../routes/index.js';
import { SignFields, type SignedAnswer, type UnsignedAnswer } from '../signing/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import { boundTo } from './bound-answer.js';
import {
  clientRequest,
  passOnBasic,
  withoutCredentials,
  type ClientRequest,
} from './request/client-request.js';
import { issuedTo, tokenForItself } from './client-tokens.js';
import type { TokenAnswer } from './token-answer.js';
import { TokenEndpointProofs } from './request/token-endpoint-proofs.service.js';
import { assertDecider } from './login-handler.js';
import { CredentialsRefusedException, isBackendRefusal, loginRefusal } from './login-refusal.js';
import { bodyBytes, requestParameters, type TokenParameters } from './request/token-request.js';
import { TokenRequestException } from './request/token-request.exception.js';
import { TokenSessions } from './token-sessions.service.js';
import { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';
import { CREATE_TOKEN } from './token.operations.js';

const DEFAULT_GRANTS = ['password'];

/** `POST /token`: gets claims from the login service, or from the application. `@SignFields()` signs them. */
@Controller('token')
@Public()
@UseGuards(TokenThrottleGuard)
export class TokenController {
  constructor(
    @Inject(TOKEN_OPTIONS) private readonly options: TokenModuleOptions,
    private readonly sessions: TokenSessions,
    private readonly proofs: TokenEndpointProofs,
    @Optional() @Inject(BACKEND_CLIENT) private readonly backend?: BackendClient,
    @Optional() private readonly clients?: ClientAuthentication,
  ) {
    assertDecider('TokenModule', '', options, backend);
  }

  @Post()
  @HttpCode(200)
  @SignFields()
  @Operation(CREATE_TOKEN)
  async create(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Body() body?: unknown,
  ): Promise<TokenAnswer | UnsignedAnswer | SignedAnswer> {
    const parameters = requestParameters(request, body);
    const key = await this.proofs.use(request, response);
    const isRefresh = parameters('grant_type') === 'refresh_token';
    if (!isRefresh) markLogin(request);
    let asked: ClientRequest | undefined;
    if (this.clients === undefined) passOnBasic(request);
    else asked = await clientRequest(this.clients, request, parameters);
    if (asked?.grantType === 'client_credentials' && asked.client.claims !== undefined)
      return boundTo(key, tokenForItself(asked));
    this.sessions.assertMayBegin(request);
    const answer = isRefresh
      ? await this.sessions.refresh(request, response, parameters, asked?.client)
      : this.sessions.begin(
          request,
          response,
          await this.login(request, body, parameters, asked?.client),
          parameters('grant_type') !== 'client_credentials',
        );
    return boundTo(key, asked === undefined ? answer : issuedTo(asked, answer));
  }

  private async login(
    request: IncomingMessage,
    body: unknown,
    parameters: TokenParameters,
    client: Client | undefined,
  ): Promise<TokenAnswer> {
    const { handler, grants = DEFAULT_GRANTS } = this.options;
    if (handler === undefined)
      return this.askBackend(request, bodyBytes(request, body), parameters);
    const grant = parameters('grant_type');
    if (grant !== undefined && !grants.includes(grant))
      throw new TokenRequestException('grant_unsupported', 'This grant type is not supported.');
    const answer = await handler({ parameters, client, request });
    if (answer === undefined) throw new CredentialsRefusedException();
    return answer;
  }

  private async askBackend(
    request: IncomingMessage,
    bytes: Buffer | undefined,
    parameters: TokenParameters,
  ): Promise<TokenAnswer> {
    const { method = 'POST', path = '', errors = 'pass' } = this.options;
    // The constructor has checked it.
    const backend = this.backend as BackendClient;
    const contentType = request.headers['content-type'];
    // Credentials of a registered client are not forwarded.
    const isRegistered = this.clients !== undefined;
    const body = isRegistered ? withoutCredentials(contentType, bytes, parameters) : bytes;
    const call = { method, path, from: request, body, contentType };
    try {
      return (await backend.call<TokenAnswer>(call)).bodyAsWritten;
    } catch (error) {
      if (!isBackendRefusal(error)) throw error;
      const byClient = !isRegistered && hasClientCredentials(request, parameters);
      throw loginRefusal(error, errors, byClient);
    }
  }
}
