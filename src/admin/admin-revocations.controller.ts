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
} from '@nestjs/common';
import { RequireJwt } from '../auth/index.js';
import { Operation } from '../routes/index.js';
import { Revocations } from '../state/index.js';
import {
  CREATE_REVOCATION,
  LIST_REVOCATIONS,
  UNDO_REVOCATION,
} from './admin-revocations.operations.js';
import {
  CreateRevocationDto,
  ListRevocationsDto,
  revokedName,
  toResponse,
  type RevocationResponse,
} from './revocation.dto.js';
import { STRICT } from './strict-input.js';

/** `/admin/revocations`: revokes tokens by id, user, session or key. Only for tokens with one of `adminRoles`. */
@Controller('admin/revocations')
@RequireJwt({ admin: true })
export class AdminRevocationsController {
  constructor(private readonly revocations: Revocations) {}

  /** The revocation is effective here at once, and on all workers and nodes within a second. */
  @Post()
  @Header('Cache-Control', 'no-store')
  @Operation(CREATE_REVOCATION)
  async create(@Body(STRICT) dto: CreateRevocationDto): Promise<RevocationResponse> {
    const name = revokedName(dto);
    if (name === undefined)
      throw new BadRequestException('Give exactly one of jti, sub, sid and kid.');
    // Many serializers write `null` for absent members.
    const { before, reason } = dto;
    return toResponse(
      await this.revocations.revoke({
        ...name,
        before: before ?? undefined,
        reason: reason ?? undefined,
      }),
    );
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @Operation(LIST_REVOCATIONS)
  async list(
    @Query(STRICT) { limit, after }: ListRevocationsDto,
  ): Promise<{ revocations: RevocationResponse[]; next?: string }> {
    const page = await this.revocations.list({ limit, after });
    const next = page.length === limit ? page.at(-1)?.id : undefined;
    return { revocations: page.map(toResponse), ...(next === undefined ? {} : { next }) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation(UNDO_REVOCATION)
  async undo(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    if (!(await this.revocations.undo(id)))
      throw new NotFoundException('There is no such revocation.');
  }
}
