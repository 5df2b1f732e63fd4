import { Module } from '@nestjs/common';
import { IntrospectionController } from '../token/index.js';
import { AdminRevocationsController } from './admin-revocations.controller.js';

/**
 * The routes for operators; needs `StateModule`, `AuthModule` with `adminRoles`,
 * and `SessionModule` as one of its `imports`.
 * Without it they do not exist.
 */
@Module({ controllers: [AdminRevocationsController, IntrospectionController] })
export class AdminModule {}
