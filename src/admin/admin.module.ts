import { Module } from '@nestjs/common';
import { AdminRevocationsController } from './admin-revocations.controller.js';

/**
 * The routes for operators: `/admin/revocations`. Without this module they do not exist. Needs
 * `StateModule` and `AuthModule` with `adminRoles`.
 */
@Module({ controllers: [AdminRevocationsController] })
export class AdminModule {}
