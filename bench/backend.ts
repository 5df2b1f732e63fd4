// A static login backend in a process of its own: claims for any POST, a user of the asked-for size for any GET.
// Below /issuer/<name> it is an identity provider with a key of its own.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const claims = {
  aud: 'http://api.example.com',
  iss: 'https://krakend.io',
  sub: '1234567890qwertyuio',
  jti: 'mnb23vcsrt756yuiomnbvcx98ertyuiop',
  exp: 2_051_882_755,
};
const token = JSON.stringify({
  access_token: { ...claims, roles: ['role_a', 'role_b'] },
  refresh_token: { ...claims, jti: 'mnb23vcsrt756yuiomn12876bvcx98ertyuiop' },
  exp: claims.exp,
});
/** Both tokens of a login with claims of about so many bytes. */
const sized = (bytes: number): string => {
  const base = { aud: claims.aud, iss: claims.iss, sub: 'u1', exp: claims.exp };
  const note = 'x'.repeat(Math.max(0, bytes - JSON.stringify({ ...base, note: '' }).length));
  const one = note === '' ? { sub: 'u1', exp: claims.exp } : { ...base, note };
  return JSON.stringify({ access_token: one, refresh_token: one });
};
// Without ids and times: the gateway stamps its own, as each login and refresh needs them.
const { aud, iss, sub } = claims;
const login = JSON.stringify({ access_token: { aud, iss, sub }, refresh_token: { aud, iss, sub } });
const user = (bytes: number): string =>
  JSON.stringify({ id: 1, tags: Array.from({ length: bytes / 20 }, (_, i) => `some text ${i}`) });
const bodies = new Map([
  ['/token.json', token],
  ['/login.json', login],
  ['/claims-64.json', sized(64)],
  ['/claims-8k.json', sized(8192)],
  ['/user/1.json', user(1000)],
  ['/user/big.json', user(100_000)],
]);

/** Metadata or key set of an issuer. */
function issuerDocument(host: string, url: string): string | undefined {
  const [, path, document] =
    /^(\/issuer\/\w+)\/(\.well-known\/openid-configuration|jwks)$/.exec(url) ?? [];
  if (path === undefined) return undefined;
  const issuer = `http://${host}${path}`;
  if (document !== 'jwks') return JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` });
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  return JSON.stringify({ keys: [{ ...key.export({ format: 'jwk' }), kid: 'k0', alg: 'ES256' }] });
}

const server = createServer((request, response) => {
  request.resume();
  const { url = '', headers } = request;
  const body = bodies.get(url) ?? issuerDocument(headers.host ?? '', url) ?? '{}';
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}).listen(0, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
