import { Module } from '@nestjs/common';
import { SessionList } from './session-list.service.js';
import { ConfigurableSessionListModule } from './session-list.module-definition.js';
import { SessionsController } from './sessions.controller.js';

/**
 * Remembers the sessions of each user, and ends the oldest ones where there are too many. Give it to `OAuthModule`
 * as one of its `imports`; needs `StateModule`.
 */
@Module({ providers: [SessionList], exports: [SessionList] })
export class SessionListModule extends ConfigurableSessionListModule {}

/** The routes `/sessions`. Give it `SessionListModule` as one of its `imports`; needs `AuthModule`. */
@Module({ controllers: [SessionsController] })
export class SessionRoutesModule {}
