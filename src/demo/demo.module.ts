import { Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { startFakeBackend, type RunningBackend } from './demo-backend.js';

/** Starts the demo backend when it is asked for, and stops it with the application. */
@Injectable()
export class FakeBackend implements OnApplicationShutdown {
  private readonly logger = new Logger('DemoBackend');
  private running?: RunningBackend;

  /** The base URL of the demo backend. */
  async url(): Promise<string> {
    this.running ??= await startFakeBackend();
    this.logger.log(
      `BACKEND_HOST is not set: the demo backend answers at ${this.running.url} (development only)`,
    );
    return this.running.url;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.running?.close();
  }
}

/** Provides {@link FakeBackend}. */
@Module({ providers: [FakeBackend], exports: [FakeBackend] })
export class FakeBackendModule {}
