import {
  Controller,
  Get,
  Header,
  Injectable,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import { GatewayException } from '../common/gateway.exception.js';

/** Whether the process should get requests. Keys are there once it runs: without them it does not boot. */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  private shuttingDown = false;

  beforeApplicationShutdown(): void {
    this.shuttingDown = true;
  }

  /** @throws GatewayException 503 naming the part that is not ready */
  assertReady(): void {
    if (this.shuttingDown)
      throw new GatewayException({
        status: 503,
        error: 'temporarily_unavailable',
        code: 'shutting_down',
        description: 'The gateway is shutting down.',
      });
  }
}

/** Probes for orchestrators and load balancers. */
@Controller('health')
@Injectable()
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
