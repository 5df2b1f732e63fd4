import { Module } from '@nestjs/common';
import { AdminRevocationsController } from './admin-revocations.controller.js';
import { AdminSessionsController } from './admin-sessions.controller.js';

/**
 * The routes for operators: `/admin/revocations`. Without this module they do not exist. Needs
 * `StateModule` and `AuthModule` with `adminRoles`.
 */
@Module({ controllers: [AdminRevocationsController] })
export class AdminModule {}

/**
 * `/admin/sessions`. Give it `SessionListModule` as one of its `imports`; needs `AuthModule` with
 * `adminRoles`.
 */
@Module({ controllers: [AdminSessionsController] })
export class AdminSessionsModule {}
