import { Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { startDemoBackend, type RunningBackend } from './demo-backend.js';

/** Starts the demo backend when it is asked for, and stops it with the application. */
@Injectable()
export class DemoBackend implements OnApplicationShutdown {
  private readonly logger = new Logger('DemoBackend');
  private running?: RunningBackend;

  /** The base URL of the demo backend. */
  async url(): Promise<string> {
    this.running ??= await startDemoBackend();
    this.logger.log(
      `BACKEND_HOST is not set: the demo backend answers at ${this.running.url} (development only)`,
    );
    return this.running.url;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.running?.close();
  }
}

/** Provides {@link DemoBackend}. */
@Module({ providers: [DemoBackend], exports: [DemoBackend] })
export class DemoModule {}
