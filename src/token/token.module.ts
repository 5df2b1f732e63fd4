import { Module } from '@nestjs/common';
import { TokenController } from './token.controller.js';
import { ConfigurableTokenModule } from './token.module-definition.js';

/** `POST /token`; needs `BackendModule`, `JwksModule` and `SigningModule`. */
@Module({ controllers: [TokenController] })
export class TokenModule extends ConfigurableTokenModule {}
