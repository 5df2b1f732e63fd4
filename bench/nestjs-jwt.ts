// Validation with @nestjs/jwt and a guard, HS256: what Nest's own documentation shows.
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { HttpModule, HttpService } from '@nestjs/axios';
import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Module,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { firstValueFrom } from 'rxjs';

const { BACKEND_HOST = '', SIGNER_JWK_LOCAL_PATH = '' } = process.env;
const { keys } = JSON.parse(readFileSync(SIGNER_JWK_LOCAL_PATH, 'utf8')) as {
  keys: { k: string }[];
};
const secret = Buffer.from(keys[0]?.k ?? '', 'base64url');

@Injectable()
class JwtGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    const token = request.headers.authorization?.split(' ')[1];
    if (token === undefined) throw new UnauthorizedException();
    const { roles } = await this.verify(token);
    if (!roles.some((role) => role === 'role_a' || role === 'role_c'))
      throw new ForbiddenException();
    return true;
  }

  private async verify(token: string): Promise<{ roles: string[] }> {
    try {
      return await this.jwt.verifyAsync<{ roles: string[] }>(token);
    } catch {
      throw new UnauthorizedException();
    }
  }
}

@Controller()
class AppController {
  constructor(private readonly http: HttpService) {}

  @Get('private/custom')
  @UseGuards(JwtGuard)
  async custom(): Promise<unknown> {
    return (await firstValueFrom(this.http.get<unknown>(`${BACKEND_HOST}/user/1.json`))).data;
  }
}

@Module({
  imports: [
    HttpModule,
    JwtModule.register({
      secret,
      verifyOptions: {
        algorithms: ['HS256'],
        issuer: 'https://krakend.io',
        audience: 'http://api.example.com',
      },
    }),
  ],
  controllers: [AppController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
console.log(`Listening on ${await app.getUrl()}`);
