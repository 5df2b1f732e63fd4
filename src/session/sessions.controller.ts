import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  BadRequestException,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Param,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { RequireJwt } from '../auth/index.js';
import { nameOf, sessionName } from '../core/revocation/index.js';
import { foreignIssuerOf } from '../core/verify/index.js';
import { requestContext } from '../http/index.js';
import { Operation } from '../routes/index.js';
import { SessionCookies } from './session-cookies.service.js';
import { SessionList } from './session-list.service.js';
import { toSessionResponse, type SessionResponse } from './session-response.js';
import { END_OWN_SESSION, END_OWN_SESSIONS, LIST_OWN_SESSIONS } from './sessions.operations.js';

const REASON = 'ended by its user';

/** `/sessions`: lists and ends the sessions of the request's user. */
@Controller('sessions')
@RequireJwt()
export class SessionsController {
  constructor(
    private readonly list: SessionList,
    private readonly cookies: SessionCookies,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @Operation(LIST_OWN_SESSIONS)
  async all(@Req() request: IncomingMessage): Promise<{ sessions: SessionResponse[] }> {
    const { sub, sid } = callerOf(request);
    const sessions = sub === undefined ? [] : await this.list.of(sub);
    return { sessions: sessions.map((one) => toSessionResponse(one, sid)) };
  }

  @Delete(':sid')
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @Operation(END_OWN_SESSION)
  async end(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Param('sid') named: string,
  ): Promise<void> {
    const { sub, sid } = callerOf(request);
    // A session of another user is answered like one that does not exist.
    const ended =
      sub === undefined ? 0 : await this.list.end(sub, (one) => one.sid === named, REASON);
    if (ended === 0) throw new NotFoundException('There is no such session.');
    if (sid === named) this.clearCookies(response);
  }

  @Delete()
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @Operation(END_OWN_SESSIONS)
  async endAll(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Query() { others, ...unknown }: Record<string, unknown>,
  ): Promise<void> {
    // A misspelt parameter must not end more sessions than meant.
    if ((others !== undefined && others !== 'true') || Object.keys(unknown).length > 0)
      throw new BadRequestException('The only parameter is others, which can only be true.');
    const { sub, sid } = callerOf(request);
    if (sub === undefined) return;
    if (others === 'true') {
      await this.list.end(sub, (one) => one.sid !== sid, REASON);
      return;
    }
    await this.list.endAll(sub, REASON);
    this.clearCookies(response);
  }

  private clearCookies(response: ServerResponse): void {
    if (this.cookies.enabled) this.cookies.clear(response);
  }
}

/** Names of the user and the session of the request's token, as in revocations. */
function callerOf(request: IncomingMessage): {
  sub?: string | undefined;
  sid?: string | undefined;
} {
  const { verified } = requestContext(request);
  if (verified?.claims === undefined) return {};
  const { policy, claims } = verified;
  const issuer = foreignIssuerOf(policy, claims.iss);
  const names = { issuer, claims, signingInput: '' };
  return { sub: nameOf(names, 'sub'), sid: sessionName(names) };
}
