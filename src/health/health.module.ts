import { Module } from '@nestjs/common';
import { JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { Revocations } from '../state/index.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.service.js';

/** `GET /health/live` and `GET /health/ready`. Needs `JwksModule` and `StateModule`. */
@Module(
  withNeeds(
    'HealthModule',
    { JwksModule: [JwkKeyStore], StateModule: [Revocations] },
    { controllers: [HealthController], providers: [Readiness], exports: [Readiness] },
  ),
)
export class HealthModule {}
