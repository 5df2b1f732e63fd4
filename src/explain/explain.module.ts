import { Module } from '@nestjs/common';
import { ExplainController } from './explain.controller.js';

/** `POST /_explain`; needs `AuthModule` and `JwksModule`. Never in production: it is an oracle. */
@Module({ controllers: [ExplainController] })
export class ExplainModule {}
