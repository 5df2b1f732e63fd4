import type { AddressInfo, Server } from 'node:net';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Public } from '../auth/index.js';
import { HttpAdapterHost } from '@nestjs/core';
import { Operation } from '../routes/index.js';
import { GET_SERVER_METADATA } from './metadata.operations.js';
import { serverMetadata } from './server-metadata.js';
import { WELL_KNOWN_OPTIONS, type WellKnownModuleOptions } from './well-known.module-definition.js';

/** `GET /.well-known/oauth-authorization-server` (RFC 8414). */
@Controller('.well-known')
@Public()
export class MetadataController {
  private metadata: object | undefined;

  constructor(
    @Inject(WELL_KNOWN_OPTIONS) private readonly options: WellKnownModuleOptions,
    private readonly host: HttpAdapterHost,
  ) {}

  @Get('oauth-authorization-server')
  @Header('Cache-Control', 'public, max-age=300')
  @Operation(GET_SERVER_METADATA)
  authorizationServer(): object {
    return (this.metadata ??= serverMetadata(this.base(), this.options));
  }

  private base(): string {
    const { publicUrl } = this.options;
    if (publicUrl !== undefined) return publicUrl.replace(/\/$/, '');
    const { port } = (this.host.httpAdapter.getHttpServer() as Server).address() as AddressInfo;
    return `http://localhost:${port}`;
  }
}
