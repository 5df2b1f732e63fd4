// One issuer for each way to be known: our own, one that the options list, one that a route brings along, and a
// tenant. All of their tokens have the same names, all of their keys the same kid.
import { Controller, Get, type Type } from '@nestjs/common';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RequireJwt } from '../src/auth/index.js';
import { REVOCATION_KINDS, revocationSubject } from '../src/core/revocation/index.js';
import { Revocations } from '../src/state/index.js';
import { call } from './helpers/network/http.js';
import { tokenOf } from './helpers/issuers/issuer.js';
import { startIssuersApp, type IssuersApp } from './helpers/issuers/issuers-app.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';

const ISSUERS = {
  own: 'https://own.test',
  listed: 'https://listed.test',
  routed: 'https://routed.test',
  tenant: 'https://tenant.test',
} as const;
type Name = keyof typeof ISSUERS;
const NAMES = Object.keys(ISSUERS) as Name[];

/** Whose tokens each route takes. */
const ROUTES: Record<string, readonly Name[]> = {
  any: ['own', 'listed', 'tenant'],
  listed: ['listed'],
  routed: ['routed'],
  admin: ['own'],
};

const keys = {} as Record<Name, JWK>;
const servers: JwksServer[] = [];
let issuers: IssuersApp;

const CLAIMS = { aud: 'api', sub: 'u1', sid: 's1', jti: 'j1', roles: ['boss'] };
const token = (iss: Name, key: Name): Promise<string> =>
  tokenOf(keys[key], { ...CLAIMS, iss: ISSUERS[iss] });

beforeAll(async () => {
  const sets = {} as Record<Name, string>;
  for (const name of NAMES) {
    keys[name] = await generateJwk('ES256', 'same');
    const server = await startJwksServer([publicHalf(keys[name])]);
    servers.push(server);
    sets[name] = server.url;
  }
  issuers = await startIssuersApp(writeKeys([keys.own]), routesOf(sets), {
    issuer: ISSUERS.own,
    issuers: [
      { issuer: ISSUERS.own, own: true },
      { issuer: ISSUERS.listed, jwksUri: sets.listed },
    ],
    issuerResolver: (iss) => (iss === ISSUERS.tenant ? { jwksUri: sets.tenant } : undefined),
    adminRoles: ['boss'],
  });
});
afterAll(async () => {
  await issuers?.app.close();
  await Promise.all(servers.map((server) => server.down()));
});

function routesOf(sets: Record<Name, string>): Type {
  @Controller()
  class Routes {
    @Get('any') @RequireJwt() any(): string {
      return '';
    }
    @Get('listed')
    @RequireJwt({ issuers: [{ issuer: ISSUERS.listed, jwksUri: sets.listed }] })
    listed(): string {
      return '';
    }
    @Get('routed')
    @RequireJwt({ issuer: ISSUERS.routed, jwkUrl: sets.routed })
    routed(): string {
      return '';
    }
    @Get('admin') @RequireJwt({ admin: true }) admin(): string {
      return '';
    }
  }
  return Routes;
}

/** Where one issuer is known only, its keys come first, and so does the signature. */
const NOT_TAKEN = /^401 (?:issuer_mismatch|signature_invalid)$/;

/** What becomes of a token of each issuer on each route. */
async function verdicts(keyOf: (iss: Name) => Name = (iss) => iss): Promise<[string, string][]> {
  const seen: [string, string][] = [];
  for (const route of Object.keys(ROUTES))
    for (const iss of NAMES) {
      const verdict = await issuers.ask(route, await token(iss, keyOf(iss)));
      seen.push([`${iss} on ${route}`, NOT_TAKEN.test(verdict) ? 'not taken' : verdict]);
    }
  return seen;
}

/** @param verdict on routes that take the tokens of an issuer */
const expected = (verdict: (iss: Name) => string): [string, string][] =>
  Object.entries(ROUTES).flatMap(([route, taken]) =>
    NAMES.map((iss): [string, string] => [
      `${iss} on ${route}`,
      taken.includes(iss) ? verdict(iss) : 'not taken',
    ]),
  );

describe('a key speaks for its own issuer, on the routes that take it', () => {
  it('with its own key', async () => {
    expect(await verdicts()).toEqual(expected(() => '200'));
  });

  it.each(NAMES)('and for no other: the key of %s', async (key) => {
    expect(await verdicts(() => key)).toEqual(
      expected((iss) => (iss === key ? '200' : 'not taken')),
    );
  });
});

describe('what is revoked of one issuer stays valid of the others', () => {
  const revokedIs = (name: Name): [string, string][] =>
    expected((iss) => (iss === name ? '401 token_revoked' : '200'));

  afterEach(async () => {
    const revocations = issuers.app.get(Revocations);
    for (const { id } of await revocations.list({ limit: 10 })) await revocations.undo(id);
  });

  const table = NAMES.flatMap((name) => REVOCATION_KINDS.map((kind) => [name, kind] as const));
  it.each(table)('%s, by %s', async (name, kind) => {
    const issuer = name === 'own' ? undefined : ISSUERS[name];
    const { names } = revocationSubject({ issuer, kid: 'same', claims: CLAIMS, signingInput: '' });
    const value = names.findLast((one) => one.kind === kind)?.value ?? '';
    await issuers.app.get(Revocations).revoke({ kind, value, before: null });
    expect(await verdicts()).toEqual(revokedIs(name));
  });

  // Tokens of a route's own issuer are known to this route alone.
  it.each(['own', 'listed', 'tenant'] as const)('%s, by POST /logout', async (name) => {
    const answer = await call(`${issuers.url}/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token(name, name)}` },
    });
    expect(answer.status).toBe(204);
    expect(await verdicts()).toEqual(revokedIs(name));
  });
});
