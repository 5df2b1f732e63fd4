import { Controller, Get, Header } from '@nestjs/common';
import { Operation } from '../routes/index.js';
import { Readiness } from './readiness.service.js';

const STATUS = { type: 'object', properties: { status: { type: 'string', enum: ['ok'] } } };

/** Probes for orchestrators and load balancers. */
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** The process answers. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  @Operation({
    summary: 'The process answers.',
    answers: { 200: { description: 'It does.', schema: STATUS } },
  })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The process should get requests. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @Operation({
    summary: 'The process should get requests.',
    answers: { 200: { description: 'It should.', schema: STATUS } },
    errors: { 503: ['shutting_down', 'keys_unavailable', 'state_unavailable'] },
  })
  ready(): { status: 'ok' } {
    this.readiness.assertReady();
    return { status: 'ok' };
  }
}
