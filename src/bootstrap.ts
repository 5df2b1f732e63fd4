import { Logger } from '@nestjs/common';
import { readEnvironment } from './config/index.js';
import { createApp } from './create-app.js';
import { describeBootError } from './describe-boot-error.js';
import { shutDownGracefully } from './graceful-shutdown.js';

try {
  const app = await createApp();
  const { HOST, PORT, SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = readEnvironment();
  await app.listen(PORT, HOST);
  shutDownGracefully(app, { delayMs: SHUTDOWN_DELAY_MS, timeoutMs: SHUTDOWN_TIMEOUT_MS });
  const { port } = app.getHttpServer().address() as { port: number };
  new Logger('Signet').log(`Listening on http://${HOST}:${port}`);
} catch (error) {
  for (const line of describeBootError(error)) process.stderr.write(`signet: ${line}\n`);
  process.exit(1);
}
