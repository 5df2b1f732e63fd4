// The same work with Fastify, @fastify/jwt (HS256) and fetch to the backend.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fastifyJwt from '@fastify/jwt';
import { fastify } from 'fastify';

const { BACKEND_HOST = '', SIGNER_JWK_LOCAL_PATH = '' } = process.env;
const { keys } = JSON.parse(readFileSync(SIGNER_JWK_LOCAL_PATH, 'utf8')) as {
  keys: { k: string; kid: string }[];
};

const app = fastify();
await app.register(fastifyJwt, {
  secret: Buffer.from(keys[0]?.k ?? '', 'base64url'),
  verify: {
    algorithms: ['HS256'],
    allowedIss: 'https://krakend.io',
    allowedAud: 'http://api.example.com',
  },
});
type Claims = Record<string, unknown>;
const signed = (claims: Claims, typ: string): string => {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iat: now, exp: now + 3600, jti: randomUUID(), ...claims };
  return app.jwt.sign(payload, { header: { alg: 'HS256', kid: keys[0]?.kid, typ } });
};
app.post('/token', async () => {
  const response = await fetch(`${BACKEND_HOST}/token.json`, { method: 'POST' });
  const answer = (await response.json()) as { access_token: Claims; refresh_token: Claims };
  return {
    ...answer,
    access_token: signed(answer.access_token, 'JWT'),
    refresh_token: signed(answer.refresh_token, 'rt+jwt'),
  };
});
app.get('/private/custom', async (request, reply) => {
  let roles: string[];
  try {
    ({ roles } = await request.jwtVerify<{ roles: string[] }>());
  } catch {
    return reply.code(401).send({});
  }
  if (!roles.some((role) => role === 'role_a' || role === 'role_c'))
    return reply.code(403).send({});
  return (await fetch(`${BACKEND_HOST}/user/1.json`)).json();
});
console.log(`Listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
