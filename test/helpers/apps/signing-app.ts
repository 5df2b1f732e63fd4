import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AuthModule,
  Claims,
  JwksModule,
  RequireJwt,
  SignFields,
  SigningModule,
  StateModule,
  type JwsAlgorithm,
  type VerifiedClaims,
} from '../../../src/index.js';
import { AUDIENCE, ISSUER } from '../issuers/issuer.js';

/** A small application around a key file, in this process. */
export interface SigningApp {
  /** `POST` signs an `access_token`, `GET` accepts it. */
  url: string;
  stop(): Promise<void>;
}

/** Boots with the key `kid` of a file, as the gateway does: it signs with it, and accepts what it signed. */
export async function startSigningApp(
  path: string,
  alg: JwsAlgorithm,
  kid: string,
): Promise<SigningApp> {
  @Controller()
  class TokenController {
    @Post()
    @SignFields('access_token')
    sign(): { access_token: object } {
      return { access_token: { sub: 'u1', aud: AUDIENCE } };
    }
    @Get()
    @RequireJwt()
    visit(@Claims() claims: VerifiedClaims): VerifiedClaims {
      return claims;
    }
  }
  @Module({
    imports: [
      JwksModule.forRoot({ signing: { path }, exposedKeyFiles: 'refuse', reloadIntervalMs: 0 }),
      StateModule.forRoot({ url: 'memory:', longestTokenTtl: 3600 }),
      SigningModule.forRoot({ alg, kid, issuer: ISSUER }),
      AuthModule.forRoot({ algorithms: [alg], issuer: ISSUER, audience: AUDIENCE }),
    ],
    controllers: [TokenController],
  })
  class App {}
  const app = await NestFactory.create(App, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => app.close() };
}
