// The recipes of docs/issuers.md as `.env` of the gateway, with nothing else: it finds by them the documents of
// each provider, which are served here in the shapes that the providers document.
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificate } from '../helpers/network/certificate.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { readiness, verdict } from '../helpers/issuers/issuer.js';
import { blocksOf } from '../helpers/pages/manual.js';
import { preload } from '../helpers/gateway/processes.js';
import {
  answerOf,
  COMMON,
  issueAs,
  now,
  PROVIDERS,
  type Claims,
  type Provider,
} from '../helpers/issuers/providers.js';
import { tempFolder } from '../helpers/run/resources.js';

/** What stands on the network, by URL. */
const documents = new Map<string, object>();
/** URLs that were asked for, and are nowhere. */
const missing: string[] = [];

const hosts = Object.values(PROVIDERS).flatMap(({ settings, metadata, asked }) => {
  const { VALIDATOR_ISSUER, VALIDATOR_JWK_URL } = parseEnv(settings);
  return [VALIDATOR_ISSUER, VALIDATOR_JWK_URL, metadata?.jwks_uri, asked?.url].flatMap((url) =>
    url === undefined ? [] : [new URL(url).hostname],
  );
});
const authority = createCertificate('The whole world');
const respond =
  (scheme: 'http' | 'https'): RequestListener =>
  ({ url = '', headers: { host = '' } }, response) => {
    const address = `${scheme}://${host}${url}`;
    const document = documents.get(address);
    if (document === undefined) missing.push(address);
    response
      .writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(document ?? {}));
  };
const server = createServer(
  createCertificate('providers', authority.authority, { hosts: [...new Set(hosts)] }),
  respond('https'),
);
/** For endpoints that are inside. */
const plainServer = createPlainServer(respond('http'));
const servers = [server, plainServer];
const folder = tempFolder('providers');

beforeAll(async () => {
  for (const one of servers) await once(one.listen(0, '127.0.0.1'), 'listening');
  writeFileSync(join(folder, 'ca.pem'), authority.cert);
});
afterAll(async () => {
  for (const one of servers) {
    one.closeAllConnections();
    await once(one.close(), 'close');
  }
});

/** Whatever host a connection is to, it ends at a server of this test; names are verified as always. */
const NETWORK = (): string => {
  const [tls, plain] = servers.map((one) => (one.address() as AddressInfo).port);
  return preload(
    `import net from 'node:net'; import tls from 'node:tls'; import { syncBuiltinESMExports } from 'node:module'; const plain = net.connect, { connect } = tls; net.connect = (options) => plain(options.host === 'hydra-admin' ? { ...options, host: '127.0.0.1', port: ${plain} } : options); tls.connect = ({ host, ...options }) => connect({ servername: host, ...options, host: '127.0.0.1', port: ${tls} }); syncBuiltinESMExports();`,
  );
};

/** `GET /private/custom` asks for a role of its own; the user has it in place of the provider's. */
const withRole = (claims: Claims, role: string | undefined): Claims =>
  role === undefined
    ? claims
    : (JSON.parse(JSON.stringify(claims).replaceAll(`"${role}"`, '"role_a"')) as Claims);

function publish({ metadata, settings }: Provider, keys: object): void {
  const keyUrl = metadata?.jwks_uri ?? parseEnv(settings).VALIDATOR_JWK_URL ?? '';
  documents.clear();
  documents.set(keyUrl, keys);
  if (metadata === undefined) return;
  const base = metadata.issuer.replace(/\/$/, '');
  documents.set(`${base}/.well-known/openid-configuration`, metadata);
}

describe.each(Object.entries(PROVIDERS))('%s', (_name, provider) => {
  const { settings, claims, route, refused, asked, alg = 'RS256' } = provider;
  const role = route.roles?.[0];
  let gateway: GatewayProcess;
  let sign: Awaited<ReturnType<typeof issueAs>>['sign'];
  /** A token, and what is answered about it where the recipe asks. */
  const tokenWith = (of: Claims): Promise<string> => {
    if (asked !== undefined) documents.set(asked.url, answerOf(of));
    return sign(of);
  };
  beforeAll(async () => {
    const issued = await issueAs(provider);
    sign = issued.sign;
    publish(provider, issued.published);
    missing.length = 0;
    const cwd = tempFolder('recipe');
    writeFileSync(join(cwd, '.env'), COMMON + settings);
    if (asked?.clientFile !== undefined) {
      const file = join(cwd, asked.clientFile);
      mkdirSync(dirname(file));
      writeFileSync(file, blocksOf('issuers', 'Tokens that are no JWT', 'ini', 'json')[1], {
        mode: 0o600,
      });
    }
    gateway = await startGateway(
      { NODE_OPTIONS: NETWORK(), NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
      cwd,
    );
  });
  afterAll(() => gateway?.stop());

  it('is found by its recipe, and its users get in with their roles', async () => {
    const ask = async (of: Claims): Promise<string> => verdict(gateway.url, await tokenWith(of));
    const expected = role === undefined ? '403 roles_missing' : '200';
    await expect.poll(() => ask(withRole(claims, role))).toBe(expected);
    expect(await ask(claims)).toBe('403 roles_missing');
    expect(await readiness(gateway.url)).toBe(200);
    expect(missing).toEqual([]);
    expect(documents.size).toBeGreaterThan(0);
  });

  it.each([...refused, ['an old token', { ...claims, exp: now - 60 }, 'token_expired'] as const])(
    '%s is refused',
    async (_what, other, code) => {
      expect(await verdict(gateway.url, await tokenWith(withRole(other, role)))).toBe(
        `${/^(?:roles|scopes)_/.test(code) ? 403 : 401} ${code}`,
      );
    },
  );

  const user = withRole(claims, role);
  const strangers = {
    'that somebody else signed under its kid': async () => {
      const { privateKey } = await generateKeyPair(alg);
      return [await sign(user, privateKey), '401 signature_invalid'] as const;
    },
    'that is not active': async () => {
      documents.set(asked?.url ?? '', { active: false });
      return [await sign(user), '401 token_revoked'] as const;
    },
  };
  it.each([
    ...(asked === undefined || asked.members !== undefined
      ? (['that somebody else signed under its kid'] as const)
      : []),
    ...(asked === undefined ? [] : (['that is not active'] as const)),
  ])('a token %s is refused', async (which) => {
    const [token, expected] = await strangers[which]();
    expect(await verdict(gateway.url, token)).toBe(expected);
  });
});
