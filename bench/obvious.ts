// The obvious NestJS version of the same product: HttpService as it comes, jose's SignJWT and
// jwtVerify, an interceptor and a guard as in any tutorial. Nothing is tuned.
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { HttpModule, HttpService } from '@nestjs/axios';
import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  UnauthorizedException,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { importJWK, jwtVerify, SignJWT, type CryptoKey, type JWK } from 'jose';
import { firstValueFrom, from, switchMap, type Observable } from 'rxjs';

const { BACKEND_HOST = '', SIGNER_ALG = 'HS256', SIGNER_JWK_LOCAL_PATH = '' } = process.env;
const { keys } = JSON.parse(readFileSync(SIGNER_JWK_LOCAL_PATH, 'utf8')) as { keys: JWK[] };
const jwk = keys[0] as JWK;
const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicJwk } = jwk;
const signing = (await importJWK(jwk, SIGNER_ALG)) as CryptoKey;
const verifying = (await importJWK(publicJwk, SIGNER_ALG)) as CryptoKey;

@Injectable()
class SignInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(switchMap((body) => from(this.sign(body))));
  }

  private async sign(body: Record<string, Record<string, unknown>>): Promise<object> {
    const sign = (claims: Record<string, unknown> = {}): Promise<string> =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: SIGNER_ALG, kid: jwk.kid, typ: 'JWT' })
        .setIssuedAt()
        .sign(signing);
    return {
      ...body,
      access_token: await sign(body.access_token),
      refresh_token: await sign(body.refresh_token),
    };
  }
}

@Injectable()
class JwtGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    const token = request.headers.authorization?.split(' ')[1];
    if (token === undefined) throw new UnauthorizedException();
    const claims = await this.verify(token);
    const roles = claims.roles as string[];
    if (!roles.some((role) => role === 'role_a' || role === 'role_c'))
      throw new ForbiddenException();
    return true;
  }

  private async verify(token: string): Promise<Record<string, unknown>> {
    try {
      const { payload } = await jwtVerify(token, verifying, {
        issuer: 'https://krakend.io',
        audience: 'http://api.example.com',
        algorithms: [SIGNER_ALG],
      });
      return payload;
    } catch {
      throw new UnauthorizedException();
    }
  }
}

@Controller()
class AppController {
  constructor(private readonly http: HttpService) {}

  @Post('token')
  @HttpCode(200)
  @UseInterceptors(SignInterceptor)
  async token(@Body() body: unknown): Promise<unknown> {
    return (await firstValueFrom(this.http.post<unknown>(`${BACKEND_HOST}/token.json`, body))).data;
  }

  @Get('private/custom')
  @UseGuards(JwtGuard)
  async custom(): Promise<unknown> {
    return (await firstValueFrom(this.http.get<unknown>(`${BACKEND_HOST}/user/1.json`))).data;
  }
}

@Module({ imports: [HttpModule], controllers: [AppController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
console.log(`Listening on ${await app.getUrl()}`);
