import { Controller, Get } from '@nestjs/common';
import type { JWK } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  JwtVerifier,
  ProtectedRoutes,
  RequireJwt,
  type AuthModuleOptions,
  type IssuerResolver,
  type ResolvedIssuer,
} from '../src/auth/index.js';
import { TokenExplainer } from '../src/core/explain/index.js';
import { JwkKeyStore, type KeyUrlOptions } from '../src/jwks/index.js';
import { tokenOf } from './helpers/issuers/issuer.js';
import { startIssuersApp, type IssuersApp } from './helpers/issuers/issuers-app.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';

const OWN = 'https://own.test';

@Controller()
class Routes {
  @Get('open') @RequireJwt({ roles: ['clerk'] }) open(): string {
    return '';
  }
  @Get('admin') @RequireJwt({ admin: true }) admin(): string {
    return '';
  }
}

@Controller()
class OpenRoutes {
  @Get('open') @RequireJwt() open(): string {
    return '';
  }
}

interface Tenant {
  iss: string;
  key: JWK;
  server: JwksServer;
}

let own: JWK;
let a: Tenant, b: Tenant;
let tenants: Map<string, ResolvedIssuer>;
let asked: string[];
let issuers: IssuersApp | undefined;
const servers: JwksServer[] = [];

beforeAll(async () => {
  own = await generateJwk('ES256', 'same');
});
beforeEach(async () => {
  tenants = new Map();
  asked = [];
  [a, b] = [await startTenant('https://a.test'), await startTenant('https://b.test')];
});
afterEach(async () => {
  await issuers?.app.close();
  issuers = undefined;
  await Promise.all(servers.splice(0).map((server) => server.down()));
});

async function startTenant(iss: string, policy: ResolvedIssuer = {}): Promise<Tenant> {
  const key = await generateJwk('ES256', 'same');
  const server = await startJwksServer([publicHalf(key)]);
  servers.push(server);
  tenants.set(iss, { jwksUri: server.url, ...policy });
  return { iss, key, server };
}

const resolver: IssuerResolver = async (iss) => {
  asked.push(iss);
  return Promise.resolve(tenants.get(iss));
};

async function boot(
  options: Omit<Partial<AuthModuleOptions>, 'issuer'> & { issuer?: string } = {},
  remote?: KeyUrlOptions,
): Promise<IssuersApp> {
  issuers = await startIssuersApp(
    writeKeys([own]),
    Routes,
    { issuer: OWN, issuerResolver: resolver, adminRoles: ['boss'], ...options },
    remote,
  );
  return issuers;
}
const token = (iss: string, key: JWK, claims: object = {}): Promise<string> =>
  tokenOf(key, { iss, aud: 'api', sub: 'u1', roles: ['clerk', 'boss'], ...claims });
const openSets = (): string[] =>
  issuers?.app
    .get(JwkKeyStore)
    .staleSeconds()
    .map(({ source }) => source) ?? [];

describe('tenants by issuerResolver', () => {
  it('open routes with their own keys only', async () => {
    const { ask } = await boot();
    const known = [{ iss: OWN, key: own }, a, b];
    for (const { iss } of known)
      for (const { iss: owner, key } of known)
        expect([iss, owner, await ask('open', await token(iss, key))]).toEqual([
          iss,
          owner,
          iss === owner ? '200' : '401 signature_invalid',
        ]);
    expect(await ask('open', await token('https://c.test', a.key))).toBe('401 issuer_mismatch');
    // Once each, our own not at all.
    expect(asked).toEqual([a.iss, b.iss, 'https://c.test']);
    expect([a, b].map(({ server }) => server.fetches.length)).toEqual([1, 1]);
  });

  it('each have what their policy says', async () => {
    const c = await startTenant('https://c.test', { audience: 'for-c', algorithms: ['ES256'] });
    const d = await startTenant('https://d.test', { algorithms: ['RS256'] });
    const { ask } = await boot();
    expect(await ask('open', await token(c.iss, c.key))).toBe('401 audience_mismatch');
    expect(await ask('open', await token(c.iss, c.key, { aud: 'for-c' }))).toBe('200');
    expect(await ask('open', await token(d.iss, d.key))).toBe('401 algorithm_not_allowed');
    expect(await ask('open', await token(a.iss, a.key, { roles: [] }))).toBe('403 roles_missing');
  });

  it('have keys from a file, or by their metadata', async () => {
    const file = await startTenant('https://file.test');
    tenants.set(file.iss, { jwkLocalPath: writeKeys([publicHalf(file.key)]) });
    const found = await startTenant('');
    found.iss = new URL(found.server.url).origin;
    tenants.set(found.iss, {});
    found.server.serve(({ url }, response) => {
      const document =
        url === '/jwks'
          ? { keys: [publicHalf(found.key)] }
          : { issuer: found.iss, jwks_uri: found.server.url };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
    });
    const { ask } = await boot();
    expect(await ask('open', await token(file.iss, file.key))).toBe('200');
    expect(await ask('open', await token(found.iss, found.key))).toBe('200');
  });

  it('are never our own issuer, and have no power over this gateway', async () => {
    const { ask } = await boot({ issuerResolver: () => ({ jwksUri: a.server.url }) });
    expect(await ask('open', await token(OWN, a.key))).toBe('401 signature_invalid');
    expect(await ask('open', await token(a.iss, a.key))).toBe('200');
    // Only our own keys count there.
    expect(await ask('admin', await token(a.iss, a.key))).toBe('401 signature_invalid');
    expect(await ask('admin', await token(a.iss, own))).toBe('401 issuer_mismatch');
    expect(await ask('admin', await token(OWN, own))).toBe('200');
  });

  it('that are away are away for themselves, and come back', async () => {
    await a.server.down();
    const { app, ask } = await boot();
    expect(await ask('open', await token(a.iss, a.key))).toBe('503 keys_unavailable');
    expect(await ask('open', await token(b.iss, b.key))).toBe('200');
    expect(app.get(JwkKeyStore).ready()).toBe(true);
    await a.server.up();
    const again = await token(a.iss, a.key);
    await expect.poll(() => ask('open', again)).toBe('200');
  });

  it('whose resolver fails get 503, and nobody else does', async () => {
    let fails = false;
    const { ask } = await boot({
      issuerResolver: (iss) => {
        if (fails) throw new Error('no database');
        return resolver(iss);
      },
    });
    expect(await ask('open', await token(b.iss, b.key))).toBe('200');
    fails = true;
    const ofA = await token(a.iss, a.key);
    expect(await ask('open', ofA)).toBe('503 keys_unavailable');
    expect(await ask('open', await token(b.iss, b.key))).toBe('200');
    expect(await ask('open', await token(OWN, own))).toBe('200');
    fails = false;
    await expect.poll(() => ask('open', ofA)).toBe('200');
  });

  it('that are no tenants any more are refused after issuerResolverTtl', async () => {
    const { ask } = await boot({ issuerResolverTtl: 0.5 });
    const ofA = await token(a.iss, a.key);
    expect(await ask('open', ofA)).toBe('200');
    tenants.delete(a.iss);
    await expect.poll(() => ask('open', ofA)).toBe('401 issuer_mismatch');
    expect(openSets()).not.toContain(a.server.url);
  });

  it('make room for each other: keys beyond issuerResolverLimit are closed', async () => {
    const { ask } = await boot({ issuerResolverLimit: 1 }, { cacheTtl: 1 });
    expect(await ask('open', await token(a.iss, a.key))).toBe('200');
    expect(openSets()).toContain(a.server.url);
    expect(await ask('open', await token(b.iss, b.key))).toBe('200');
    expect(openSets()).toContain(b.server.url);
    expect(openSets()).not.toContain(a.server.url);
    const before = a.server.fetches.length;
    const ofB = b.server.fetches.length;
    await expect.poll(() => b.server.fetches.length).toBeGreaterThan(ofB + 1);
    expect(a.server.fetches).toHaveLength(before);
    expect(await ask('open', await token(a.iss, a.key))).toBe('200');
    expect(a.server.fetches).toHaveLength(before + 1);
  });

  it('are not disturbed by 10,000 issuers that nobody knows', async () => {
    const { app, ask } = await boot();
    expect(await ask('open', await token(a.iss, a.key))).toBe('200');
    const sets = openSets();
    const policy = app.get(ProtectedRoutes).defaults();
    const verifier = app.get(JwtVerifier);
    const [header, , signature] = (await token('https://x.test', a.key)).split('.');
    const codes = new Set<string | undefined>();
    for (let i = 0; i < 10_000; i++) {
      const claims = JSON.stringify({ iss: `https://x${i}.test` });
      const payload = Buffer.from(claims).toString('base64url');
      const strange = [header, payload, signature].join('.');
      codes.add(await verifier.verify(strange, policy).then(() => 'accepted', codeOf));
    }
    expect(codes).toEqual(new Set(['issuer_mismatch', 'keys_unavailable']));
    expect(asked.length).toBeLessThan(2000);
    expect(openSets()).toEqual(sets);
    expect(await ask('open', await token(a.iss, a.key))).toBe('200');
    expect(asked.filter((iss) => iss === a.iss)).toHaveLength(1);
  });

  it('are explained', async () => {
    const { app } = await boot();
    const explainer = new TokenExplainer(app.get(JwkKeyStore), app.get(JwtVerifier), undefined);
    const policy = app.get(ProtectedRoutes).defaults();
    const verdictOf = async (iss: string): Promise<unknown> => {
      const { accepted, code, checks } = await explainer.explain(await token(iss, a.key), policy);
      return [accepted, code, checks.find(({ check }) => check === 'issuer')?.verdict];
    };
    expect(await verdictOf(a.iss)).toEqual([true, undefined, 'passed']);
    expect(await verdictOf(b.iss)).toEqual([false, 'signature_invalid', 'passed']);
    expect(await verdictOf('https://c.test')).toEqual([false, 'issuer_mismatch', 'refused']);
  });

  it('may be all that there is', async () => {
    issuers = await startIssuersApp(writeKeys([own]), OpenRoutes, {
      issuer: '',
      issuerResolver: resolver,
    });
    const { ask } = issuers;
    expect(await ask('open', await token(a.iss, a.key))).toBe('200');
    expect(await ask('open', await token(OWN, own))).toBe('401 issuer_mismatch');
    expect(await ask('open', await token('', own))).toBe('401 issuer_mismatch');
  });
});

const codeOf = (error: { code?: string; details?: { code: string } }): string | undefined =>
  error.details?.code ?? error.code;

it.each<[Parameters<typeof boot>[0], RegExp]>([
  [{ issuerResolverTtl: 0 }, /AuthModule: 'issuerResolverTtl' is not a number of seconds/],
  [{ issuerResolverLimit: -1 }, /AuthModule: 'issuerResolverLimit' is .* whole number of issuers/],
  [{ issuer: '' }, /admin.*'issuer' is empty/],
])('the boot is refused with %j', async (options, reason) => {
  await expect(boot(options)).rejects.toThrow(reason);
});
