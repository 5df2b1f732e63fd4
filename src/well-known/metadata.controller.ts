import type { AddressInfo, Server } from 'node:net';
import {
  Controller,
  Get,
  Header,
  Inject,
  NotFoundException,
  Optional,
  Param,
} from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { ProtectedRoutes, Public } from '../auth/index.js';
import { ClientRegistry } from '../clients/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { Operation, RouteExplorer } from '../routes/index.js';
import { SIGNING_OPTIONS, type SigningModuleOptions } from '../signing/index.js';
import {
  GET_OPENID_CONFIGURATION,
  GET_SERVER_METADATA,
  GET_SERVER_METADATA_OF_PATH,
} from './metadata.operations.js';
import { BootError } from '../core/errors/index.js';
import { serverMetadata, type ServerMetadataFacts } from './server-metadata.js';
import { WELL_KNOWN_OPTIONS, type WellKnownModuleOptions } from './well-known.module-definition.js';

const CACHE_CONTROL = 'public, max-age=300';

/**
 * The metadata of the issuer: `GET /.well-known/oauth-authorization-server` (RFC 8414) and
 * `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0). Pages of all origins may read them.
 */
@Controller()
@Public()
export class MetadataController {
  private readonly issuer: string;
  private endpoints: ServerMetadataFacts['endpoints'] | undefined;

  constructor(
    @Inject(WELL_KNOWN_OPTIONS) private readonly options: WellKnownModuleOptions,
    private readonly host: HttpAdapterHost,
    private readonly keys: JwkKeyStore,
    private readonly explorer: RouteExplorer,
    private readonly reflector: Reflector,
    @Optional() @Inject(SIGNING_OPTIONS) signing?: SigningModuleOptions,
    @Optional() private readonly routes?: ProtectedRoutes,
    @Optional() private readonly clients?: ClientRegistry,
  ) {
    const issuer = options.issuer ?? signing?.issuer;
    if (issuer === undefined)
      throw new BootError("WellKnownModule: give 'issuer', or give it to SigningModule");
    this.issuer = issuer;
  }

  @Get('.well-known/oauth-authorization-server')
  @Header('Cache-Control', CACHE_CONTROL)
  @Header('Access-Control-Allow-Origin', '*')
  @Operation(GET_SERVER_METADATA)
  authorizationServer(): object {
    return this.metadata();
  }

  @Get('.well-known/openid-configuration')
  @Header('Cache-Control', CACHE_CONTROL)
  @Header('Access-Control-Allow-Origin', '*')
  @Operation(GET_OPENID_CONFIGURATION)
  openidConfiguration(): object {
    return this.metadata();
  }

  /**
   * The metadata of an issuer whose URL has a path. The path comes behind the well-known one (RFC 8414 section 3.1) or
   * before it (OpenID Connect Discovery 1.0 section 4.1); clients request either. It may have up to four segments.
   */
  @Get(
    // One pattern per number of segments: Express and Fastify have different wildcards.
    [':a', ':a/:b', ':a/:b/:c', ':a/:b/:c/:d'].flatMap((path) => [
      `.well-known/oauth-authorization-server/${path}`,
      `.well-known/openid-configuration/${path}`,
      `${path}/.well-known/oauth-authorization-server`,
      `${path}/.well-known/openid-configuration`,
    ]),
  )
  @Header('Cache-Control', CACHE_CONTROL)
  @Header('Access-Control-Allow-Origin', '*')
  @Operation(GET_SERVER_METADATA_OF_PATH)
  ofPath(@Param() parameters: Readonly<Record<string, string | readonly string[]>>): object {
    if (`/${Object.values(parameters).flat().join('/')}` !== pathOf(this.issuer))
      throw new NotFoundException('There is no such resource.');
    return this.metadata();
  }

  private metadata(): object {
    const algorithms = this.keys
      .publicJwks()
      .keys.flatMap(({ alg }: { alg?: string }) => alg ?? []);
    return serverMetadata(this.options, {
      issuer: this.issuer,
      endpoints: (this.endpoints ??= this.findEndpoints()),
      base: this.base(),
      algorithms: [...new Set(algorithms)],
      scopes: this.routes?.scopes() ?? [],
      grantsItself: this.clients?.grantsItself() ?? false,
    });
  }

  private findEndpoints(): ServerMetadataFacts['endpoints'] {
    return Object.fromEntries(
      this.explorer.routes().flatMap((route) => {
        const { endpoint } = this.reflector.get(Operation, route.handler) ?? {};
        return endpoint === undefined ? [] : [[endpoint, this.explorer.paths(route)[0]]];
      }),
    );
  }

  private base(): string {
    const { publicUrl } = this.options;
    if (publicUrl !== undefined) return publicUrl.replace(/\/$/, '');
    const { port } = (this.host.httpAdapter.getHttpServer() as Server).address() as AddressInfo;
    return `http://localhost:${port}`;
  }
}

/** The decoded path of an issuer, without a slash at the end; `undefined` for an issuer without a path. */
function pathOf(issuer: string): string | undefined {
  const path = URL.parse(issuer)?.pathname.replace(/\/$/, '') ?? '';
  try {
    return path === '' ? undefined : decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
