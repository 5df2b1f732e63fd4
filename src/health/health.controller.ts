import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/index.js';
import { Operation } from '../routes/index.js';
import { GET_LIVENESS, GET_READINESS } from './health.operations.js';
import { Readiness } from './readiness.service.js';

/** Probes for orchestrators and load balancers. */
@Controller('health')
@Public()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** Answers 200 as long as the process runs. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  @Operation(GET_LIVENESS)
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Answers 200 while the process can serve requests, else 503. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @Operation(GET_READINESS)
  ready(): { status: 'ok'; state?: 'read-only' } {
    this.readiness.assertReady();
    return { status: 'ok', ...(this.readiness.stateReadOnly ? { state: 'read-only' } : {}) };
  }
}
