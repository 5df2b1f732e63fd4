import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  ValidationPipe,
} from '@nestjs/common';
import { RequireJwt } from '../auth/index.js';
import { Revocations } from '../state/index.js';
import {
  CreateRevocationDto,
  ListRevocationsDto,
  revokedName,
  toView,
  type RevocationView,
} from './revocation.dto.js';

/** A name that is ignored could be the one that was meant. */
const STRICT = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });
const DEFAULT_LIMIT = '100';

/** `/admin/revocations`: tokens that are refused before they expire, by token, user, session or key. */
@Controller('admin/revocations')
@RequireJwt({ admin: true })
export class RevocationsController {
  constructor(private readonly revocations: Revocations) {}

  /** Effective here at once, on all workers and nodes within a second. */
  @Post()
  @Header('Cache-Control', 'no-store')
  async create(@Body(STRICT) dto: CreateRevocationDto): Promise<RevocationView> {
    const name = revokedName(dto);
    if (name === undefined)
      throw new BadRequestException('Give exactly one of jti, sub, sid and kid.');
    const { before, reason } = dto;
    return toView(await this.revocations.revoke({ ...name, before, reason }));
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  async list(
    @Query(STRICT) { limit = DEFAULT_LIMIT, after }: ListRevocationsDto,
  ): Promise<{ revocations: RevocationView[]; next?: string }> {
    const page = await this.revocations.list({ limit: Number(limit), after });
    const next = page.length === Number(limit) ? page.at(-1)?.id : undefined;
    return { revocations: page.map(toView), ...(next === undefined ? {} : { next }) };
  }

  @Delete(':id')
  @HttpCode(204)
  async undo(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    if (!(await this.revocations.undo(id)))
      throw new NotFoundException('There is no such revocation.');
  }
}
