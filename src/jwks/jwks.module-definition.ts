import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import {
  IDENTIFY_STRATEGY,
  KEY_URL_KINDS,
  kinds,
  withCheckedOptions,
  type OptionKinds,
} from '../options/index.js';
import type { JwsAlgorithm } from '../core/jws/index.js';
import type { KeyIdentifyStrategy, KeySource, KeyUrlOptions } from '../core/keys/index.js';

/** Options of `JwksModule`. */
export interface JwksModuleOptions {
  /** Source of the signing keys: a JWK Set or a single JWK. Not needed where tokens are only verified. */
  signing?: KeySource;
  /** Source of the keys that verify tokens. Default: the signing keys. */
  verification?: KeySource;
  /** How a token names its key. Default `kid`. */
  identifyStrategy?: KeyIdentifyStrategy;
  /** What happens with a key file that other users of the machine can read or change. Default `warn`. */
  exposedKeyFiles?: 'warn' | 'refuse' | 'allow';
  /** Creates the signing file with this key when it does not exist. For development only. */
  createMissing?: { alg: JwsAlgorithm; kid: string };
  /** Opens encrypted key files (JWE, RFC 7517 section 7). */
  passphrase?: string;
  /** Milliseconds between two reads of a key file, beside the watch of its directory; 0: no reload. Default 1000. */
  reloadIntervalMs?: number;
  /** How remote key sets and metadata are fetched. */
  remote?: KeyUrlOptions;
}

/** The types of the options, checked at boot. Exported for tests. */
export const JWKS_KINDS: OptionKinds<JwksModuleOptions> = {
  signing: kinds.object,
  verification: kinds.object,
  identifyStrategy: IDENTIFY_STRATEGY,
  exposedKeyFiles: kinds.oneOf('warn', 'refuse', 'allow'),
  createMissing: kinds.members({ alg: kinds.name, kid: kinds.name }),
  passphrase: kinds.text,
  reloadIntervalMs: kinds.number('milliseconds'),
  remote: kinds.members(KEY_URL_KINDS),
};

export const {
  ConfigurableModuleClass: ConfigurableJwksModule,
  MODULE_OPTIONS_TOKEN: JWKS_OPTIONS,
  OPTIONS_TYPE: JWKS_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: JWKS_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<JwksModuleOptions>({ moduleName: 'Jwks' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions({ ...definition, global: isGlobal }, JWKS_OPTIONS, 'JwksModule', JWKS_KINDS),
  )
  .build();
