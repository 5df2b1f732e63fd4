import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Query,
} from '@nestjs/common';
import { RequireJwt } from '../auth/index.js';
import { Operation } from '../routes/index.js';
import { SessionList, toSessionResponse, type SessionResponse } from '../session/index.js';
import { END_SESSIONS, LIST_SESSIONS_OF_USER } from './admin-sessions.operations.js';
import { EndSessionsDto, ListSessionsDto } from './session.dto.js';
import { STRICT } from './strict-input.js';

const REASON = 'ended by an admin';

/** `/admin/sessions`: lists and ends the sessions of a user. Only for tokens with one of `adminRoles`. */
@Controller('admin/sessions')
@RequireJwt({ admin: true })
export class AdminSessionsController {
  constructor(private readonly list: SessionList) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @Operation(LIST_SESSIONS_OF_USER)
  async all(@Query(STRICT) { sub }: ListSessionsDto): Promise<{ sessions: SessionResponse[] }> {
    return { sessions: (await this.list.of(sub)).map((one) => toSessionResponse(one)) };
  }

  /** Ends all sessions of the user or, with `sid`, one. */
  @Delete()
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @Operation(END_SESSIONS)
  async end(@Query(STRICT) { sub, sid }: EndSessionsDto): Promise<void> {
    if (sid === undefined) await this.list.endAll(sub, REASON);
    else if ((await this.list.end(sub, (one) => one.sid === sid, REASON)) === 0)
      throw new NotFoundException('There is no such session.');
  }
}
