import { ConfigModule } from '@nestjs/config';
import type { Environment } from './environment.js';
import { readEnvironment, validateEnvironment } from './read-environment.js';

/** Reads `.env` into the process's environment, as `AppModule` does, for what runs before there is an application. */
export async function loadEnvironment(): Promise<Environment> {
  await ConfigModule.forRoot({ cache: true, validate: validateEnvironment });
  return readEnvironment();
}
