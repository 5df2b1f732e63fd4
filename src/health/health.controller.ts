import { Controller, Get, Header } from '@nestjs/common';
import { Readiness } from './readiness.js';

/** Probes for orchestrators and load balancers. */
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** The process answers. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The process should get requests. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  ready(): { status: 'ok' } {
    this.readiness.assertReady();
    return { status: 'ok' };
  }
}
