import { Module } from '@nestjs/common';
import { AuthGuard } from '../auth/index.js';
import { IntrospectionAccess } from './introspection-access.service.js';
import { IntrospectionController } from './introspection.controller.js';
import { ConfigurableIntrospectionModule } from './introspection.module-definition.js';

/**
 * `POST /token/introspect`. Without this module it does not exist. Give it `SessionModule` as one of its
 * `imports`, and `OAuthModule` where tokens are refreshed; needs `AuthModule`, `StateModule` and `ThrottlerModule`, and without roles `ClientsModule`.
 */
@Module({
  controllers: [IntrospectionController],
  providers: [AuthGuard, IntrospectionAccess],
})
export class IntrospectionModule extends ConfigurableIntrospectionModule {}
