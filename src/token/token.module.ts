import { Module } from '@nestjs/common';
import { SelfTest } from './self-test.service.js';
import { TokenController } from './token.controller.js';
import { ConfigurableTokenModule } from './token.module-definition.js';

/**
 * `POST /token`; needs `BackendModule`, `JwksModule`, `SigningModule`, `OAuthModule` and
 * `ThrottlerModule`. With `ClientsModule`, who asks has to be a registered client.
 */
@Module({ controllers: [TokenController], providers: [SelfTest] })
export class TokenModule extends ConfigurableTokenModule {}
