import { Module } from '@nestjs/common';
import { IssuedTokens } from './issued-tokens.service.js';
import { LogoutController } from './logout.controller.js';
import { SessionCookies } from './session-cookies.service.js';
import { SessionEnd } from './session-end.service.js';
import { ConfigurableSessionModule } from './session.module-definition.js';

/** Sessions: recognizing their tokens, cookies, `POST /logout`; needs `AuthModule` and `StateModule`. */
@Module({
  controllers: [LogoutController],
  providers: [IssuedTokens, SessionCookies, SessionEnd],
  exports: [IssuedTokens, SessionCookies, SessionEnd],
})
export class SessionModule extends ConfigurableSessionModule {}
