import { Module } from '@nestjs/common';
import { withNeeds } from '../options/index.js';
import { Revocations, STATE_STORE } from '../state/index.js';
import { SessionCookies } from './session-cookies.service.js';
import { ConfigurableSessionListModule } from './session-list.module-definition.js';
import { SessionList } from './session-list.service.js';
import { SessionsController } from './sessions.controller.js';

/**
 * Stores the sessions that logins begin and refreshes continue, and ends the oldest session of a user who has too many.
 * Needs `StateModule`.
 */
@Module(
  withNeeds(
    'SessionListModule',
    { StateModule: [STATE_STORE, Revocations] },
    { providers: [SessionList], exports: [SessionList] },
  ),
)
export class SessionListModule extends ConfigurableSessionListModule {}

/** Serves `/sessions`. Needs `SessionListModule`, `SessionModule` and `AuthModule`. */
@Module(
  withNeeds(
    'SessionRoutesModule',
    { SessionListModule: [SessionList], SessionModule: [SessionCookies] },
    { controllers: [SessionsController] },
  ),
)
export class SessionRoutesModule {}
