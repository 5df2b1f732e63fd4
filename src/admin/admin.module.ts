import { Module } from '@nestjs/common';
import { IntrospectionController } from '../token/index.js';
import { AdminRevocationsController } from './admin-revocations.controller.js';

/**
 * The routes for operators: `/admin/revocations` and `POST /token/introspect`. Without this module
 * they do not exist. Needs `StateModule`, `AuthModule` with `adminRoles`, `ThrottlerModule`, and
 * `SessionModule`, which is not global: `{ module: AdminModule, imports: [session] }`.
 */
@Module({ controllers: [AdminRevocationsController, IntrospectionController] })
export class AdminModule {}
