// Services that verify by the JWKS and check the audience, as their documents say: a refresh token opens none.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import JwksRsa from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { hostGateway, type HostedGateway } from './helpers/gateway/host.js';
import { callWith } from './helpers/network/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { login, type Pair } from './helpers/sessions/sessions.js';

type Verifier = (token: string) => Promise<'accepted' | 'refused'>;

let backend: Backend;
let keys: string;
let jwksUri: string;
const stops: (() => void)[] = [];
beforeAll(async () => {
  backend = await startBackend();
  keys = writeKeys([await generateJwk('RS256', 'r1')]);
  const claims = { sub: 'u1', aud: AUDIENCE, iss: ISSUER };
  await backend.answer('/token.json', { body: { access_token: claims, refresh_token: claims } });
});
afterAll(async () => {
  for (const stop of stops) stop();
  await backend.stop();
});

const start = (env: Record<string, string> = {}): Promise<HostedGateway> =>
  hostGateway({
    BACKEND_HOST: backend.url,
    SIGNER_ALG: 'RS256',
    SIGNER_JWK_LOCAL_PATH: keys,
    ...env,
  });

async function expressBearer(): Promise<Verifier> {
  const app = express();
  app.use(auth({ jwksUri, issuer: ISSUER, audience: AUDIENCE, tokenSigningAlg: 'RS256' }));
  app.get('/', (_request, response) => void response.end());
  app.use(((error: { status?: number }, _request, response, _next) => {
    response.status(error.status ?? 500).end();
  }) satisfies express.ErrorRequestHandler);
  const server = app.listen(0, '127.0.0.1');
  stops.push(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return async (token) =>
    (await callWith(`http://127.0.0.1:${port}/`, token)).status === 200 ? 'accepted' : 'refused';
}

async function passportJwt(): Promise<Verifier> {
  const strategy = new Strategy(
    {
      secretOrKeyProvider: JwksRsa.passportJwtSecret({ jwksUri }),
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ['RS256'],
    },
    (payload: object, done: (error: null, user: object) => void) => done(null, payload),
  );
  return (token) =>
    new Promise((resolve, reject) => {
      // What passport itself hands to a strategy.
      const handed = Object.assign(Object.create(strategy) as typeof strategy, {
        success: () => resolve('accepted'),
        fail: () => resolve('refused'),
        error: reject,
      });
      const headers = { authorization: `Bearer ${token}` };
      handed.authenticate({ headers } as express.Request);
    });
}

async function joseVerify(): Promise<Verifier> {
  const set = createRemoteJWKSet(new URL(jwksUri));
  return (token) =>
    jwtVerify(token, set, { issuer: ISSUER, audience: AUDIENCE }).then(
      () => 'accepted',
      () => 'refused',
    );
}

describe.each([
  ['express-oauth2-jwt-bearer', expressBearer],
  ['jwks-rsa with passport-jwt', passportJwt],
  ['jose', joseVerify],
])('%s, with an audience', (_name, make) => {
  const verdicts = async (env: Record<string, string>): Promise<string[]> => {
    const gateway = await start(env);
    jwksUri = `${gateway.url}/.well-known/jwks.json`;
    const verify = await make();
    const pair: Pair = await login(gateway.url);
    return [await verify(pair.access), await verify(pair.refresh)];
  };

  it('takes access tokens and no refresh tokens', async () => {
    expect(await verdicts({})).toEqual(['accepted', 'refused']);
  });

  it('would take both with SIGNER_REFRESH_AUDIENCE=keep', async () => {
    expect(await verdicts({ SIGNER_REFRESH_AUDIENCE: 'keep' })).toEqual(['accepted', 'accepted']);
  });
});

it('an audience of several is replaced as a whole', async () => {
  const claims = { sub: 'u1', aud: [AUDIENCE, 'https://other'], iss: ISSUER };
  await backend.answer('/token.json', { body: { access_token: claims, refresh_token: claims } });
  const { access, refresh } = await login((await start()).url);
  expect([part(access, 1).aud, part(refresh, 1).aud]).toEqual([claims.aud, ISSUER]);
});
