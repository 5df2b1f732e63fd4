// A real OpenID provider in a process of its own, with client_credentials and JWT access tokens. Clients may
// register, and log alice in by a code: she says yes to everything, without a page.
//   node oidc-process.mjs [port]     prints its issuer; then one command per line on standard input:
//   rotate     takes fresh keys, publishes the old ones beside them; prints "ok"
//   fetches    prints how often its JWK Set was fetched
//   down, up   closes its port, and listens on it again; prints "ok"
// The resource decides the algorithm: urn:api:RS256, urn:api:ES256, urn:api:Ed25519; others have ES256. Tokens
// for urn:api:opaque are opaque. The client `gateway` may introspect. Its JWK Set has an odd key beside, for an
// algorithm that is younger than most verifiers.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const [wanted = '0'] = process.argv.slice(2);
const { publicKey } = await generateKeyPair('ES256');
const odd = { ...(await exportJWK(publicKey)), kid: 'odd', alg: 'HPKE-0' };
let generation = 0;
let keys = [];
let fetches = 0;
let handle = () => undefined;

async function start(issuer) {
  generation += 1;
  const fresh = await Promise.all(
    ['RS256', 'ES256', 'Ed25519'].map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      const kid = `${alg}-${generation}`;
      return Object.assign(await exportJWK(privateKey), { alg, use: 'sig', kid });
    }),
  );
  keys = [...fresh, ...keys];
  const provider = new Provider(issuer, {
    jwks: { keys },
    scopes: ['openid', 'clock'],
    clients: [
      {
        client_id: 'shop',
        client_secret: 'a-secret-of-the-test',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        client_id: 'gateway',
        client_secret: 'another secret+of%the:test',
        grant_types: [],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client) => client.clientId === 'gateway',
      },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'read write clock',
          audience: resource,
          accessTokenTTL: 600,
          ...(resource === 'urn:api:opaque'
            ? { accessTokenFormat: 'opaque' }
            : {
                accessTokenFormat: 'jwt',
                jwt: { sign: { alg: /^urn:api:(.*)$/.exec(resource)?.[1] ?? 'ES256' } },
              }),
        }),
      },
    },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: () => '/login' },
    loadExistingGrant: async ({ oidc }) => {
      const { clientId } = oidc.client;
      const grant = new provider.Grant({ clientId, accountId: oidc.session.accountId });
      const { resource, scope = '' } = oidc.params;
      grant.addOIDCScope(scope);
      if (resource !== undefined) grant.addResourceScope(resource, scope);
      await grant.save();
      return grant;
    },
    extraTokenClaims: () => ({ realm_access: { roles: ['clerk', 'auditor'] }, roles: ['role_a'] }),
  });
  provider.use(async (context, next) => {
    await next();
    if (context.path === '/jwks') context.body = { keys: [odd, ...context.body.keys] };
  });
  const answer = provider.callback();
  const login = { login: { accountId: 'alice' } };
  handle = (request, response) =>
    request.url === '/login'
      ? provider.interactionFinished(request, response, login, { mergeWithLastSubmission: false })
      : answer(request, response);
}

const server = createServer((request, response) => {
  if (request.url === '/jwks') fetches += 1;
  handle(request, response);
});
await once(server.listen(Number(wanted), '127.0.0.1'), 'listening');
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
await start(issuer);
process.stdout.write(`${issuer}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rotate') await start(issuer);
  if (line === 'up') await once(server.listen(port, '127.0.0.1'), 'listening');
  if (line === 'down') {
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
  process.stdout.write(line === 'fetches' ? `${fetches}\n` : 'ok\n');
}
