import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { JwsAlgorithm } from '../jws/index.js';

/** Where keys come from. */
export interface JwksModuleOptions {
  /** JWK Set or single JWK with the signing keys; a path relative to the working directory. */
  signingKeysPath: string;
  /** JWK Set or single JWK with the keys tokens are verified with. Default: the signing keys. */
  verificationKeysPath?: string;
  /** What a key file that others can read or change leads to. Default `warn`. */
  exposedKeyFiles?: 'warn' | 'refuse' | 'allow';
  /** Creates `signingKeysPath` with this key when the file does not exist. For development only. */
  createMissing?: { alg: JwsAlgorithm; kid: string };
}

export const {
  ConfigurableModuleClass: ConfigurableJwksModule,
  MODULE_OPTIONS_TOKEN: JWKS_OPTIONS,
  OPTIONS_TYPE: JWKS_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: JWKS_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<JwksModuleOptions>({ moduleName: 'Jwks' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
