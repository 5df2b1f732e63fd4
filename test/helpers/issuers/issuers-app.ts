import type { INestApplication, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { AuthModule, type AuthModuleOptions } from '../../../src/auth/index.js';
import { JwksModule, type KeyUrlOptions } from '../../../src/jwks/index.js';
import { SessionModule } from '../../../src/session/index.js';
import { StateModule } from '../../../src/state/index.js';
import { callWith } from '../network/http.js';
import { startNestApp } from '../apps/nest-app.js';

/** An application in this process whose tokens come from several issuers. */
export interface IssuersApp {
  app: INestApplication;
  url: string;
  /** `200`, or status and code of `GET /<path>`. */
  readonly ask: (path: string, token: string) => Promise<string>;
}

/** @param keyFile our own signing keys, for ES256 */
export async function startIssuersApp(
  keyFile: string,
  controller: Type,
  options: Omit<Partial<AuthModuleOptions>, 'issuer'> & { issuer: string },
  remote: KeyUrlOptions = {},
): Promise<IssuersApp> {
  const { issuer } = options;
  @Module({
    imports: [
      JwksModule.forRoot({
        signing: { path: keyFile },
        reloadIntervalMs: 0,
        remote: { allowHttp: true, ...remote },
      }),
      StateModule.forRoot({ url: 'memory:', longestTokenTtl: 3600 }),
      AuthModule.forRoot({ algorithms: ['ES256'], audience: 'api', ...options }),
      SessionModule.forRoot({ alg: 'ES256', issuer, refreshTyp: 'rt+jwt' }),
    ],
    controllers: [controller],
  })
  class App {}
  const { app, url } = await startNestApp(App);
  return {
    app,
    url,
    ask: async (path, token) => {
      const { status, json } = await callWith(`${url}/${path}`, token);
      return typeof json.code === 'string' ? `${status} ${json.code}` : String(status);
    },
  };
}
