import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { SigningOptions } from '../core/sign/index.js';
import type { SignFieldsOptions } from './sign-fields.metadata.js';

/** Options of `SigningModule`: the defaults of all `@SignFields()`. */
export interface SigningModuleOptions extends SigningOptions {
  /**
   * True (default): each answer that cannot be signed is logged as an error, with handler, code and reason. Set it to
   * false where an access log has the same.
   */
  logFailures?: boolean;
}

/** The types of the options, checked at boot. Exported for tests. */
export const SIGNING_KINDS: OptionKinds<SigningModuleOptions> = {
  alg: kinds.name,
  kid: kinds.name,
  fields: kinds.texts,
  requireAllFields: kinds.flag,
  typ: kinds.name,
  refreshTyp: kinds.name,
  full: kinds.flag,
  issuer: kinds.name,
  audience: kinds.name,
  refreshAudience: kinds.oneOf('issuer', 'keep'),
  accessTtl: kinds.number('seconds'),
  refreshTtl: kinds.number('seconds'),
  staleExp: kinds.oneOf('reject', 'renew', 'keep'),
  maxTokenLength: kinds.whole('characters', 1),
  logFailures: kinds.flag,
};

/** The types of the options of `@SignFields`, checked at boot. */
export const SIGN_FIELDS_KINDS: OptionKinds<SignFieldsOptions> = {
  fields: kinds.texts,
  alg: kinds.name,
  kid: kinds.name,
  typ: kinds.name,
  ttl: kinds.number('seconds'),
  full: kinds.flag,
};

export const {
  ConfigurableModuleClass: ConfigurableSigningModule,
  MODULE_OPTIONS_TOKEN: SIGNING_OPTIONS,
  OPTIONS_TYPE: SIGNING_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: SIGNING_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<SigningModuleOptions>({ moduleName: 'Signing' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      SIGNING_OPTIONS,
      'SigningModule',
      SIGNING_KINDS,
    ),
  )
  .build();
