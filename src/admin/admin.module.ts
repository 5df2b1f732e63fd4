import { Module } from '@nestjs/common';
import { withNeeds } from '../options/index.js';
import { SessionList } from '../session/index.js';
import { Revocations } from '../state/index.js';
import { AdminRevocationsController } from './admin-revocations.controller.js';
import { AdminSessionsController } from './admin-sessions.controller.js';

/** Serves `/admin/revocations`. Needs `StateModule`, and `AuthModule` with `adminRoles`. */
@Module(
  withNeeds(
    'AdminModule',
    { StateModule: [Revocations] },
    { controllers: [AdminRevocationsController] },
  ),
)
export class AdminModule {}

/** Serves `/admin/sessions`. Needs `SessionListModule`, and `AuthModule` with `adminRoles`. */
@Module(
  withNeeds(
    'AdminSessionsModule',
    { SessionListModule: [SessionList] },
    { controllers: [AdminSessionsController] },
  ),
)
export class AdminSessionsModule {}
