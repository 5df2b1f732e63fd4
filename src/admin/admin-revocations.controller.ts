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
import { Operation } from '../routes/index.js';
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

const TEXT = { type: 'string', minLength: 1, maxLength: 1024 };
const NAMES = { jti: TEXT, sub: TEXT, sid: TEXT, kid: TEXT };
const SECONDS = { type: 'integer', minimum: 0, description: 'seconds since 1970' };
const REVOCATION = {
  type: 'object',
  required: ['id', 'created_at'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    ...NAMES,
    before: SECONDS,
    reason: { type: 'string' },
    created_at: SECONDS,
    expires_at: SECONDS,
  },
};

/** `/admin/revocations`: tokens that are refused before they expire, by token, user, session or key. */
@Controller('admin/revocations')
@RequireJwt({ admin: true })
export class AdminRevocationsController {
  constructor(private readonly revocations: Revocations) {}

  /** Effective here at once, on all workers and nodes within a second. */
  @Post()
  @Header('Cache-Control', 'no-store')
  @Operation({
    summary: 'Refuses all tokens of a name from now on.',
    description:
      'Exactly one of `jti`, `sub`, `sid` and `kid`. Effective everywhere within a second.',
    body: {
      required: true,
      content: {
        'application/json': {
          type: 'object',
          properties: {
            ...NAMES,
            before: {
              ...SECONDS,
              description: 'only tokens issued earlier, in seconds since 1970',
            },
            reason: { type: 'string', maxLength: 500 },
          },
          additionalProperties: false,
        },
      },
    },
    answers: { 201: { description: 'The revocation.', schema: REVOCATION } },
  })
  async create(@Body(STRICT) dto: CreateRevocationDto): Promise<RevocationView> {
    const name = revokedName(dto);
    if (name === undefined)
      throw new BadRequestException('Give exactly one of jti, sub, sid and kid.');
    const { before, reason } = dto;
    return toView(await this.revocations.revoke({ ...name, before, reason }));
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @Operation({
    summary: 'Lists revocations, the oldest first.',
    query: {
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      after: { ...TEXT, maxLength: 100, description: '`next` of the page before' },
    },
    answers: {
      200: {
        description: 'A page.',
        schema: {
          type: 'object',
          properties: {
            revocations: { type: 'array', items: REVOCATION },
            next: { type: 'string' },
          },
        },
      },
    },
    errors: { 400: ['request_invalid'] },
  })
  async list(
    @Query(STRICT) { limit = DEFAULT_LIMIT, after }: ListRevocationsDto,
  ): Promise<{ revocations: RevocationView[]; next?: string }> {
    const page = await this.revocations.list({ limit: Number(limit), after });
    const next = page.length === Number(limit) ? page.at(-1)?.id : undefined;
    return { revocations: page.map(toView), ...(next === undefined ? {} : { next }) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({
    summary: 'Undoes a revocation.',
    answers: { 204: { description: 'It is undone.' } },
    errors: { 400: ['request_invalid'], 404: ['not_found'] },
  })
  async undo(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    if (!(await this.revocations.undo(id)))
      throw new NotFoundException('There is no such revocation.');
  }
}
