import { Module } from '@nestjs/common';
import { JwksController } from './jwks.controller.js';

/** What clients and other services discover about the gateway; needs `JwksModule`. */
@Module({ controllers: [JwksController] })
export class WellKnownModule {}
