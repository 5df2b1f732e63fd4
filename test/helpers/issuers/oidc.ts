import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../run/free-port.js';
import { kill, track } from '../run/resources.js';

/** A real OpenID provider (`oidc-provider`) in a process of its own. */
export interface OpenIdProvider {
  issuer: string;
  jwksUri: string;
  /** An access token with `realm_access.roles`, by client_credentials: a JWT, or an opaque one. */
  token(
    alg: 'RS256' | 'ES256' | 'Ed25519' | 'opaque',
    headers?: Record<string, string>,
  ): Promise<string>;
  /** Revokes an opaque token. */
  revoke(token: string): Promise<void>;
  /** Signs with fresh keys from now on; the old ones stay published. */
  rotate(): Promise<void>;
  /** How often its JWK Set was fetched. */
  fetches(): Promise<number>;
  /** Refuses connections; what it knows stays. */
  down(): Promise<void>;
  /** Listens again. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** The client that gets tokens. */
export const CLIENT = { id: 'shop', secret: 'a-secret-of-the-test' } as const;

/** The audience of the tokens that {@link OpenIdProvider.token} gets. */
export const audienceOf = (alg: string): string => `urn:api:${alg}`;

/** A client that may introspect, as the gateway's file names it. */
export const INTROSPECTION_CLIENT = {
  client_id: 'gateway',
  client_secret: 'another secret+of%the:test',
};

const SHOP = { client_id: CLIENT.id, client_secret: CLIENT.secret };

/** @param wanted the port; default: a free one, which nothing else takes while the provider is down */
export async function startOpenIdProvider(wanted?: number): Promise<OpenIdProvider> {
  const port = wanted ?? (await freePort());
  const child = track(
    spawn(process.execPath, [resolve('test/helpers/issuers/oidc-process.mjs'), String(port)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    }),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    // Its warnings about being a test come first.
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the OpenID provider ended');
      if (/^(?:http|ok|\d+$)/.test(value)) return value;
    }
  };
  const ask = (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`);
    return next();
  };
  const issuer = await next();
  const { jwks_uri: jwksUri } = (await (
    await fetch(`${issuer}/.well-known/openid-configuration`)
  ).json()) as { jwks_uri: string };
  return {
    issuer,
    jwksUri,
    token: async (alg, headers = {}) => {
      const answer = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({
          ...SHOP,
          grant_type: 'client_credentials',
          resource: audienceOf(alg),
          scope: 'read',
        }),
      });
      return ((await answer.json()) as { access_token: string }).access_token;
    },
    revoke: async (token) => {
      const body = new URLSearchParams({ ...SHOP, token });
      const { status } = await fetch(`${issuer}/token/revocation`, { method: 'POST', body });
      if (status !== 200) throw new Error(`the OpenID provider revoked nothing: ${status}`);
    },
    rotate: async () => void (await ask('rotate')),
    fetches: async () => Number(await ask('fetches')),
    down: async () => void (await ask('down')),
    up: async () => void (await ask('up')),
    stop: () => kill(child),
  };
}
