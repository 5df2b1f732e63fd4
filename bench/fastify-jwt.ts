// Validation with @fastify/jwt, HS256, and fetch to the backend.
import { readFileSync } from 'node:fs';
import fastifyJwt from '@fastify/jwt';
import { fastify } from 'fastify';

const { BACKEND_HOST = '', SIGNER_JWK_LOCAL_PATH = '' } = process.env;
const { keys } = JSON.parse(readFileSync(SIGNER_JWK_LOCAL_PATH, 'utf8')) as {
  keys: { k: string }[];
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
