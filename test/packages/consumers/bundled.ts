// An application that is bundled into one file, and one that Jest compiles; see test/long/consumers.e2e-spec.ts.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthModule, Claims, JwksModule, RequireJwt, StateModule } from 'nest-signet';
import { createTestIssuer } from 'nest-signet/testing';

const issuer = createTestIssuer();

@Controller()
export class OrdersController {
  @Get('me') @RequireJwt() me(@Claims('sub') sub: string) {
    return { sub };
  }
}

@Module({
  imports: [
    JwksModule.forRoot(issuer.jwksOptions),
    StateModule.forRoot({ url: process.env.SHOP_STORE ?? 'memory:', longestTokenTtl: 600 }),
    AuthModule.forRoot(issuer.authOptions),
  ],
  controllers: [OrdersController],
})
export class AppModule {}

/** What a request with a good token gets, and one without. */
export async function answers(): Promise<unknown[]> {
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const me = async (headers: Record<string, string>): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}/me`, { headers })).json();
  const good = await me({ authorization: `Bearer ${await issuer.sign({ sub: '42' })}` });
  const none = await me({});
  await app.close();
  return [good, none];
}

if (process.env.SHOP_RUN !== undefined)
  answers().then(
    (told) => console.log(JSON.stringify(told)),
    (error: Error) => console.log(JSON.stringify(error.message)),
  );
