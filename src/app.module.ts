import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { AdminModule, AdminSessionsModule } from './admin/index.js';
import { AuthModule } from './auth/index.js';
import { BackendModule } from './backend/index.js';
import { ClientsModule } from './clients/index.js';
import {
  authOptions,
  backendOptions,
  clientsOptions,
  introspectionOptions,
  jwksOptions,
  metricsOptions,
  oauthOptions,
  pagesOptions,
  privateOptions,
  sessionListOptions,
  sessionOptions,
  signingOptions,
  stateOptions,
  throttleOptions,
  tokenOptions,
  tracingOptions,
  wellKnownOptions,
  type GatewayEnvironment,
  withVariableNames,
} from './config/index.js';
import { ExplainModule, ManagementExplainModule } from './explain/index.js';
import { HealthModule } from './health/index.js';
import { JwksModule } from './jwks/index.js';
import { MetricsModule } from './metrics/index.js';
import { PagesModule } from './pages/index.js';
import { PrivateModule } from './private/index.js';
import { SessionListModule, SessionModule, SessionRoutesModule } from './session/index.js';
import { SigningModule } from './signing/index.js';
import { StateModule } from './state/index.js';
import { ThrottleModule } from './throttle/index.js';
import { IntrospectionModule, OAuthModule, TokenModule } from './token/index.js';
import type { TracingModuleOptions } from './tracing/index.js';
import { ProtectedResourceModule, WellKnownModule } from './well-known/index.js';

/**
 * The modules of the gateway. This is the only place where modules get values of the environment. The package exports
 * all of them except `PagesModule` and `PrivateModule`, which is the template for routes of your own
 * (test/rooms.spec.ts).
 */
@Module({})
export class AppModule {
  /**
   * Makes the root module for an environment. `ConfigService` has the variables, e.g. `PORT`, and the options of each
   * module in its namespace, e.g. `backend.timeoutMs`.
   *
   * @throws BootError when a file that a variable names cannot be read
   */
  static async register(env: GatewayEnvironment): Promise<DynamicModule> {
    const sessionList = sessionListOptions(env);
    const tracing = tracingOptions(env);
    const clients = clientsOptions(env);
    const introspection = introspectionOptions(env);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot({
          isGlobal: true,
          // `loadEnvironment` has read `.env` and checked the variables.
          ignoreEnvFile: true,
          validatePredefined: false,
          load: [() => env],
        }),
        // `logFailures` and `logRefusals` are off, since the access log has these events.
        BackendModule.forRootAsync(
          namespace('backend', { ...backendOptions(env), logFailures: false }),
        ),
        JwksModule.forRootAsync(namespace('jwks', jwksOptions(env))),
        StateModule.forRootAsync(namespace('state', stateOptions(env))),
        SigningModule.forRootAsync(
          namespace('signing', { ...signingOptions(env), logFailures: false }),
        ),
        AuthModule.forRootAsync(namespace('auth', { ...authOptions(env), logRefusals: false })),
        ThrottleModule.forRootAsync(namespace('throttle', throttleOptions(env))),
        ...(clients === undefined
          ? []
          : [ClientsModule.forRootAsync(namespace('clients', clients))]),
        SessionModule.forRootAsync(namespace('session', sessionOptions(env))),
        ...(sessionList === undefined
          ? []
          : [SessionListModule.forRootAsync(namespace('sessionList', sessionList))]),
        ...(env.SESSION_LIST ? [SessionRoutesModule] : []),
        OAuthModule.forRootAsync(namespace('oauth', oauthOptions(env))),
        TokenModule.forRootAsync(namespace('token', tokenOptions(env))),
        PrivateModule.forRootAsync(namespace('private', privateOptions(env))),
        MetricsModule.forRootAsync(namespace('metrics', metricsOptions(env))),
        WellKnownModule.forRootAsync(namespace('wellKnown', wellKnownOptions(env))),
        ProtectedResourceModule.forRoot({ resourceName: 'Signet' }),
        HealthModule,
        ...(introspection === undefined
          ? []
          : [IntrospectionModule.forRootAsync(namespace('introspection', introspection))]),
        ...(env.ADMIN_ROLES.length > 0 ? [AdminModule] : []),
        ...(env.ADMIN_ROLES.length > 0 && env.SESSION_LIST ? [AdminSessionsModule] : []),
        ...(env.NODE_ENV === 'development'
          ? [
              ExplainModule.forRoot({ reword: withVariableNames }),
              PagesModule.forRoot(pagesOptions(env)),
            ]
          : []),
        ...(env.EXPLAIN_PAGE
          ? [ManagementExplainModule.forRoot({ reword: withVariableNames })]
          : []),
        ...(tracing === undefined ? [] : [await tracingModule(tracing)]),
      ],
    };
  }
}

/** Makes options for `forRootAsync` that are also a namespace of `@nestjs/config`. */
const namespace = <Options extends object>(name: string, options: Options) =>
  registerAs(name, () => options).asProvider();

/** OpenTelemetry takes a tenth of a second to load, so it is loaded only where it is used. */
async function tracingModule(options: TracingModuleOptions): Promise<DynamicModule> {
  const { TracingModule } = await import('./tracing/index.js');
  return TracingModule.forRoot(options);
}
