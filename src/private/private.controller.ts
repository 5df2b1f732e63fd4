import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Header, Inject, Req, Res } from '@nestjs/common';
import { Claims, RequireJwt } from '../auth/index.js';
import { BackendClient } from '../backend/index.js';
import type { VerifiedClaims } from '../core/verify/index.js';
import { Operation } from '../routes/index.js';
import { PRIVATE_OPTIONS, type PrivateModuleOptions } from './private.module-definition.js';
import { GET_CUSTOM } from './private.operations.js';

/** `GET /private/custom`: a protected route in front of the backend, and the template for routes of your own. */
@Controller('private')
export class PrivateController {
  constructor(
    @Inject(PRIVATE_OPTIONS) private readonly options: PrivateModuleOptions,
    private readonly backend: BackendClient,
  ) {}

  @Get('custom')
  @Header('Cache-Control', 'no-store')
  @RequireJwt({ roles: ['role_a', 'role_c'] })
  @Operation(GET_CUSTOM)
  custom(
    @Req() from: IncomingMessage,
    @Res() to: ServerResponse,
    @Claims() claims: VerifiedClaims,
  ): Promise<void> {
    return this.backend.proxy({ method: 'GET', path: this.options.path, from, to, claims });
  }
}
