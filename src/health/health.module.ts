import { Module } from '@nestjs/common';
import { HealthController, Readiness } from './health.controller.js';

/** `GET /health/live` and `GET /health/ready`. */
@Module({ controllers: [HealthController], providers: [Readiness] })
export class HealthModule {}
