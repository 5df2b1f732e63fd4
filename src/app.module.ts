import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { ThrottlerModule } from '@nestjs/throttler';
import { AdminModule } from './admin/index.js';
import { AuthModule } from './auth/index.js';
import { BackendModule } from './backend/index.js';
import {
  authConfig,
  backendConfig,
  jwksConfig,
  metricsConfig,
  oauthConfig,
  privateConfig,
  sessionConfig,
  signingConfig,
  stateConfig,
  throttleConfig,
  tokenConfig,
  wellKnownConfig,
} from './config/index.js';
import { DemoBackend, DemoModule } from './demo/index.js';
import { readEnvironment, validateEnvironment } from './environment/index.js';
import { ExplainModule } from './explain/index.js';
import { HealthModule } from './health/index.js';
import { JwksModule } from './jwks/index.js';
import { MetricsModule } from './metrics/index.js';
import { PrivateModule } from './private/index.js';
import { SessionModule } from './session/index.js';
import { SigningModule } from './signing/index.js';
import { STATE_STORE, StateModule } from './state/index.js';
import { throttlerOptions } from './throttle/index.js';
import { OAuthModule, TokenModule } from './token/index.js';
import { WellKnownModule } from './well-known/index.js';

/*
 * Keys, state, backend, signing and auth are global: every controller may need them. What only some
 * modules need is imported by those. Nest knows a dynamic module by its object, so it is made once.
 */
const session = SessionModule.forRootAsync(sessionConfig.asProvider());
const oauth = OAuthModule.forRootAsync(withImports(oauthConfig.asProvider(), session));

/** The whole wiring; the only place where the environment meets the modules. */
@Module({
  imports: [
    BackendModule.forRootAsync({
      imports: [ConfigModule.forFeature(backendConfig), DemoModule],
      inject: [backendConfig.KEY, DemoBackend],
      useFactory: async (config: ReturnType<typeof backendConfig>, demo: DemoBackend) => ({
        ...config,
        host: config.host ?? (await demo.url()),
      }),
    }),
    JwksModule.forRootAsync(jwksConfig.asProvider()),
    StateModule.forRootAsync(stateConfig.asProvider()),
    SigningModule.forRootAsync(signingConfig.asProvider()),
    AuthModule.forRootAsync(authConfig.asProvider()),
    ThrottlerModule.forRootAsync({
      imports: [ConfigModule.forFeature(throttleConfig)],
      inject: [throttleConfig.KEY, STATE_STORE],
      useFactory: throttlerOptions,
    }),
    session,
    oauth,
    TokenModule.forRootAsync(withImports(tokenConfig.asProvider(), oauth)),
    PrivateModule.forRootAsync(privateConfig.asProvider()),
    MetricsModule.forRootAsync(metricsConfig.asProvider()),
    WellKnownModule.forRootAsync(wellKnownConfig.asProvider()),
    HealthModule,
  ],
})
export class AppModule {
  /**
   * Reads and checks the environment (and `.env`), then gives the application's module.
   *
   * @throws BootError with all problems of the environment
   */
  static async register(): Promise<DynamicModule> {
    const environment = await ConfigModule.forRoot({ cache: true, validate: validateEnvironment });
    const { ADMIN_ROLES, NODE_ENV, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = readEnvironment();
    const admin = ADMIN_ROLES.length > 0 ? [{ module: AdminModule, imports: [session] }] : [];
    const explain = NODE_ENV === 'development' ? [ExplainModule] : [];
    const tracing = endpoint === undefined ? [] : [await tracingModule(endpoint)];
    return { module: AppModule, imports: [environment, ...admin, ...explain, ...tracing] };
  }
}

/** Options of a module, and the modules that it needs beside the global ones. */
function withImports<Options extends { imports: object[] }>(
  options: Options,
  ...modules: readonly DynamicModule[]
): Options {
  return { ...options, imports: [...options.imports, ...modules] };
}

/** OpenTelemetry takes a tenth of a second to load: nobody waits for it who does not use it. */
async function tracingModule(endpoint: string): Promise<DynamicModule> {
  const { TracingModule } = await import('./tracing/index.js');
  return TracingModule.forRoot({ endpoint });
}
