import { NestFactory } from '@nestjs/core';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { afterEach, expect, it, vi } from 'vitest';
import { AuthModule, JwtVerifier, ProtectedRoutes } from '../src/auth/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { JwtSigner, SigningModule } from '../src/signing/index.js';
import { Revocations, StateModule } from '../src/state/index.js';
import { createTestIssuer } from '../src/testing/index.js';

const HOUR = 3600;
const YEAR = 365 * 24 * HOUR;
const POLL_MS = 10;
const issuer = createTestIssuer();

/** An application of somebody who imports the modules, as docs/library.md shows it. */
@Module({
  imports: [
    JwksModule.forRoot(issuer.jwksOptions),
    StateModule.forRoot({ url: 'memory:', longestTokenTtl: HOUR, pollMs: POLL_MS }),
    SigningModule.forRoot({ alg: issuer.alg, issuer: issuer.issuer }),
    AuthModule.forRoot(issuer.authOptions),
  ],
})
class LibraryApplication {}

let app: INestApplicationContext;
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
});

it('a library application remembers a revocation for as long as its tokens live', async () => {
  app = await NestFactory.createApplicationContext(LibraryApplication, { logger: false });
  const now = Math.floor(Date.now() / 1000);
  const token = await app.get(JwtSigner).sign(
    {
      iss: issuer.issuer,
      aud: issuer.audience,
      sub: 'u1',
      iat: now,
      exp: now + YEAR,
    },
    { alg: issuer.alg, kid: issuer.kid, typ: 'JWT', full: false },
  );
  const revocations = app.get(Revocations);
  await revocations.revoke({ kind: 'sub', value: 'u1' });

  const policy = app.get(ProtectedRoutes).defaults();
  const verdict = (): Promise<string> =>
    app
      .get(JwtVerifier)
      .verify(token, policy)
      .then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
  for (const later of [0, 3 * HOUR, YEAR / 2, YEAR - 1]) {
    vi.useFakeTimers({ toFake: ['Date'], now: (now + later) * 1000 });
    // Polls sweep what has expired; several of them go through all entries.
    await new Promise((resolve) => setTimeout(resolve, 20 * POLL_MS));
    expect(`${later} s: ${await verdict()}`).toBe(`${later} s: token_revoked`);
  }
});
