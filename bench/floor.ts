// The floor: what the same work costs when it is written by hand for this one purpose, on node:http,
// undici and node:crypto. Signs two fields, verifies strictly, proxies. No framework, no log, no metrics.
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  randomUUID,
  sign,
  timingSafeEqual,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

const { BACKEND_HOST = '', SIGNER_ALG = 'HS256', SIGNER_JWK_LOCAL_PATH = '' } = process.env;
const PRIVATE_PATH = process.env.PRIVATE_BACKEND_PATH ?? '/user/1.json';
const TOKEN_PATH = process.env.TOKEN_BACKEND_PATH ?? '/token.json';
const { keys } = JSON.parse(readFileSync(SIGNER_JWK_LOCAL_PATH, 'utf8')) as {
  keys: (JsonWebKey & { kid: string })[];
};
const jwk = keys[0] as JsonWebKey & { kid: string };
const symmetric = jwk.kty === 'oct';
const signing: KeyObject = symmetric
  ? createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
  : createPrivateKey({ key: jwk, format: 'jwk' });
const verifying = symmetric ? signing : createPublicKey({ key: jwk, format: 'jwk' });
const hash = SIGNER_ALG === 'EdDSA' ? null : `sha${SIGNER_ALG.slice(2)}`;
const options = SIGNER_ALG.startsWith('ES')
  ? { dsaEncoding: 'ieee-p1363' as const }
  : SIGNER_ALG.startsWith('RS')
    ? { padding: constants.RSA_PKCS1_PADDING }
    : {};
const headerOf = (typ: string): string =>
  Buffer.from(JSON.stringify({ alg: SIGNER_ALG, kid: jwk.kid, typ })).toString('base64url');
const ACCESS = headerOf('JWT');
const REFRESH = headerOf('rt+jwt');
const pool = new Pool(BACKEND_HOST, { connections: 128 });

async function signed(header: string, claims: Record<string, unknown>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  claims.iat ??= now;
  claims.exp ??= now + 3600;
  claims.jti ??= randomUUID();
  const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  if (symmetric)
    return `${input}.${createHmac(hash as string, signing)
      .update(input)
      .digest('base64url')}`;
  const signature = await new Promise<Buffer>((resolve, reject) => {
    sign(hash, Buffer.from(input), { ...options, key: signing }, (error, value) =>
      error ? reject(error) : resolve(value),
    );
  });
  return `${input}.${signature.toString('base64url')}`;
}

async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { body } = await pool.request({
    path: TOKEN_PATH,
    method: 'POST',
    body: chunks.length === 0 ? null : Buffer.concat(chunks),
  });
  const answer = (await body.json()) as Record<string, Record<string, unknown>>;
  const [access, refresh] = await Promise.all([
    signed(ACCESS, answer.access_token ?? {}),
    signed(REFRESH, answer.refresh_token ?? {}),
  ]);
  send(response, 200, JSON.stringify({ ...answer, access_token: access, refresh_token: refresh }));
}

async function custom(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization } = request.headers;
  if (authorization === undefined) return send(response, 401, '{}');
  const status = await check(authorization.slice(7));
  if (status !== 200) return send(response, status, '{}');
  const { body, statusCode } = await pool.request({ path: PRIVATE_PATH, method: 'GET' });
  const text = await body.text();
  JSON.parse(text);
  return send(response, statusCode, text);
}

const decode = (part: string): Buffer | undefined => {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
};

async function check(jwt: string): Promise<number> {
  const [header = '', payload = '', signature = '', ...rest] = jwt.split('.');
  const [headerBytes, payloadBytes, mac] = [decode(header), decode(payload), decode(signature)];
  if (!headerBytes || !payloadBytes || !mac || rest.length > 0) return 401;
  const { alg, kid, typ } = JSON.parse(headerBytes.toString()) as Record<string, string>;
  if (alg !== SIGNER_ALG || kid !== jwk.kid || typ !== 'JWT') return 401;
  const input = `${header}.${payload}`;
  if (symmetric) {
    const expected = createHmac(hash as string, verifying)
      .update(input)
      .digest();
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return 401;
  } else {
    const valid = await new Promise<boolean>((resolve) => {
      verify(hash, Buffer.from(input), { ...options, key: verifying }, mac, (error, value) =>
        resolve(!error && value),
      );
    });
    if (!valid) return 401;
  }
  const claims = JSON.parse(payloadBytes.toString()) as Record<string, unknown>;
  const now = Math.floor(Date.now() / 1000);
  if (typeof claims.exp !== 'number' || claims.exp <= now) return 401;
  if (claims.iss !== 'https://krakend.io' || claims.aud !== 'http://api.example.com') return 401;
  const { roles } = claims;
  return Array.isArray(roles) && roles.some((role) => role === 'role_a' || role === 'role_c')
    ? 200
    : 403;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

const server = createServer((request, response) => {
  const work = request.url === '/token' ? token(request, response) : custom(request, response);
  work.catch(() => send(response, 502, '{}'));
}).listen(0, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
