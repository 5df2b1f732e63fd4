import { Module } from '@nestjs/common';
import { IntrospectionController } from '../token/oauth-index.js';
import { AdminRevocationsController } from './admin-revocations.controller.js';

/**
 * The routes for operators; needs `OAuthModule`, `StateModule` and `AuthModule` with `adminRoles`.
 * Without it they do not exist.
 */
@Module({ controllers: [AdminRevocationsController, IntrospectionController] })
export class AdminModule {}
