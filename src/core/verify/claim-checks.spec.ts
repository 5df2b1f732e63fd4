import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseJsonExactly } from '../json/index.js';
import { refusalOfAccess, refusalOfClaims, refusalOfLogin } from './claim-checks.js';
import type { RoutePolicyOptions, TokenPolicyOptions } from './policy-options.js';
import { compilePolicy } from './token-policy.js';

const NOW = 1_800_000_000;
const DEFAULTS: TokenPolicyOptions = {
  algorithms: ['HS256'],
  issuer: 'iss',
  audience: 'aud',
  leeway: 2,
};
const CLAIMS = { iss: 'iss', aud: 'aud', exp: NOW + 60 };
const parse = (text: string): Record<string, unknown> =>
  parseJsonExactly(text) as Record<string, unknown>;

/** The code of the refusal, or `ok`. */
function check(claims: Record<string, unknown>, options: RoutePolicyOptions = {}): string {
  const policy = compilePolicy(options, DEFAULTS);
  const refusal =
    refusalOfClaims(claims, policy, NOW) ??
    refusalOfLogin(claims, policy, NOW) ??
    refusalOfAccess(claims, policy);
  return refusal?.code ?? 'ok';
}
const withClaim = (name: string, text: string): Record<string, unknown> => ({
  ...CLAIMS,
  ...parse(`{${JSON.stringify(name)}:${text}}`),
});
const without = (name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([claim]) => claim !== name));

describe('what a token says that it is', () => {
  it.each([
    // Keycloak
    [{ typ: 'Bearer' }, 'an access token'],
    [{ typ: 'ID' }, 'an ID token'],
    [{ typ: 'Refresh' }, 'another'],
    [{ typ: 'Offline' }, 'another'],
    [{ typ: 'Logout' }, 'another'],
    // Cognito, Ory Hydra
    [{ token_use: 'access' }, 'an access token'],
    [{ token_use: 'id' }, 'an ID token'],
    [{ token_use: 'refresh' }, 'another'],
    [{ token_use: 'access_token' }, 'an access token'],
    [{ token_use: 'refresh_token' }, 'another'],
    // Simple JWT, Flask-JWT-Extended
    [{ token_type: 'access' }, 'an access token'],
    [{ token_type: 'refresh' }, 'another'],
    [{ type: 'access' }, 'an access token'],
    [{ type: 'refresh' }, 'another'],
    // Both claims are present.
    [{ typ: 'Bearer', token_use: 'id' }, 'an ID token'],
    // No certain signs: claims of access tokens of Keycloak and Dex, and claims with a meaning of the application.
    [
      { nonce: 'n', at_hash: 'h', c_hash: 'c', azp: 'a', auth_time: 1, sid: 's' },
      'an access token',
    ],
    [{ typ: 5, token_use: ['id'], token_type: null, type: { a: 1 } }, 'an access token'],
    [{ type: 'id', typ: 'id', token_type: 'offline', use: 'id' }, 'an access token'],
    [Object.create({ typ: 'ID' }) as Record<string, unknown>, 'an access token'],
  ])('%j: %s', (claims, kind) => {
    const token = { ...CLAIMS, ...claims };
    const isAccess = kind === 'an access token';
    expect(check(token)).toBe(isAccess ? 'ok' : 'type_not_allowed');
    expect(check(token, { idTokens: true })).toBe(kind === 'another' ? 'type_not_allowed' : 'ok');
  });

  it('is for each issuer what is said of it', () => {
    const idTokens = { issuer: 'b', idTokens: true };
    const { perIssuer } = compilePolicy({ issuers: [{ issuer: 'a' }, idTokens] }, DEFAULTS);
    expect([...(perIssuer?.values() ?? [])].map(({ kinds }) => kinds)).toEqual([
      'access',
      'access or ID',
    ]);
  });
});

describe('times', () => {
  it.each([
    // exp is the first moment at which the token is no longer valid; the leeway is 2 s.
    ['exp', NOW - 1, 'ok'],
    ['exp', NOW - 2, 'token_expired'],
    ['exp', NOW - 1.5, 'ok'],
    ['exp', 0, 'token_expired'],
    ['exp', -1, 'token_expired'],
    ['nbf', NOW + 2, 'ok'],
    ['nbf', NOW + 2.5, 'token_not_yet_valid'],
    ['nbf', NOW + 3, 'token_not_yet_valid'],
    ['iat', NOW + 2, 'ok'],
    ['iat', NOW + 3, 'token_not_yet_valid'],
    ['iat', NOW - 1e9, 'ok'],
  ])('%s %f: %s', (name, value, verdict) => {
    expect(check({ ...CLAIMS, [name]: value })).toBe(verdict);
  });

  it('tells both clocks when a token comes from the future', () => {
    const policy = compilePolicy({}, DEFAULTS);
    expect(refusalOfClaims({ ...CLAIMS, iat: NOW + 3 }, policy, NOW)?.explanation).toContain(
      `iat ${NOW + 3} by the issuer's clock, now ${NOW} by this one; 2 s of difference are allowed`,
    );
  });

  it('knows no leeway where there is none', () => {
    expect(check({ ...CLAIMS, exp: NOW + 1 }, { leeway: 0 })).toBe('ok');
    expect(check({ ...CLAIMS, exp: NOW }, { leeway: 0 })).toBe('token_expired');
    expect(check({ ...CLAIMS, nbf: NOW }, { leeway: 0 })).toBe('ok');
    expect(check({ ...CLAIMS, nbf: NOW + 1 }, { leeway: 0 })).toBe('token_not_yet_valid');
  });

  it('needs exp', () => {
    expect(check(without('exp'))).toBe('claim_missing');
    const inherited = parse(`{"iss":"iss","aud":"aud","__proto__":{"exp":${NOW + 60}}}`);
    expect(check(inherited)).toBe('claim_missing');
  });

  it.each(['exp', 'nbf', 'iat'])('takes finite numbers only for %s', (name) => {
    for (const text of ['1e400', '-1e400', `"${NOW + 60}"`, 'null', 'true', '{}', `[${NOW + 60}]`])
      expect(check(withClaim(name, text))).toBe('claim_invalid');
    // Numbers that no double holds are numbers nevertheless.
    const past = `${NOW - 10}.00000000000000000001`;
    expect(check(withClaim(name, past))).toBe(name === 'exp' ? 'token_expired' : 'ok');
  });
});

describe('iss', () => {
  it('is one of the accepted issuers, exactly', () => {
    expect(check({ ...CLAIMS, iss: 'two' }, { issuer: ['one', 'two'] })).toBe('ok');
    for (const iss of ['ISS', 'iss/', ' iss', 'is', ''])
      expect(check({ ...CLAIMS, iss })).toBe('issuer_mismatch');
  });

  it('is a string', () => {
    expect(check(without('iss'))).toBe('issuer_mismatch');
    for (const text of ['["iss"]', 'null', '1', '{"iss":"iss"}', '1e400'])
      expect(check(withClaim('iss', text))).toBe('issuer_mismatch');
    expect(check(parse(`{"aud":"aud","exp":${NOW + 60},"__proto__":{"iss":"iss"}}`))).toBe(
      'issuer_mismatch',
    );
  });

  it('is refused also when it is nested as deep as a token allows', () => {
    const depth = 6000;
    const text = '['.repeat(depth) + ']'.repeat(depth);
    expect(check(withClaim('iss', text))).toBe('issuer_mismatch');
    expect(check(withClaim('aud', text))).toBe('claim_invalid');
    expect(check(withClaim('roles', text), { roles: ['r'] })).toBe('roles_missing');
  });
});

describe('aud', () => {
  it.each([
    ['"a"', 'any', 'ok'],
    ['"a"', 'all', 'audience_mismatch'],
    ['["a"]', 'any', 'ok'],
    ['["x","b"]', 'any', 'ok'],
    ['["a"]', 'all', 'audience_mismatch'],
    ['["x","b","a"]', 'all', 'ok'],
    ['["x"]', 'any', 'audience_mismatch'],
    // One string is one audience, unlike roles and scopes.
    ['"a b"', 'any', 'audience_mismatch'],
    ['[]', 'any', 'audience_mismatch'],
    ['""', 'any', 'audience_mismatch'],
    ['null', 'any', 'claim_invalid'],
    ['{"a":true}', 'any', 'claim_invalid'],
    ['[["a"]]', 'any', 'claim_invalid'],
    ['[null,1,{},"a"]', 'any', 'claim_invalid'],
    ['["a",5]', 'any', 'claim_invalid'],
    ['5', 'any', 'claim_invalid'],
    ['["A"]', 'any', 'audience_mismatch'],
  ] as const)('%s, %s of a and b: %s', (text, audienceMatcher, verdict) => {
    expect(check(withClaim('aud', text), { audience: ['a', 'b'], audienceMatcher })).toBe(verdict);
  });

  it('has to be there', () => {
    expect(check(without('aud'))).toBe('audience_mismatch');
  });

  describe('may be in another claim', () => {
    const client = (claims: object, options: RoutePolicyOptions = {}): string =>
      check(
        { ...CLAIMS, ...claims },
        { audience: ['c1', 'c2'], audienceClaim: 'client_id', ...options },
      );

    it('which is compared as aud would be, and aud no more', () => {
      expect(client({ client_id: 'c1' })).toBe('ok');
      expect(client({ client_id: ['x', 'c2'] })).toBe('ok');
      expect(client({ client_id: ['c2', 'c1'] }, { audienceMatcher: 'all' })).toBe('ok');
      expect(client({ client_id: 'c1' }, { audienceMatcher: 'all' })).toBe('audience_mismatch');
      expect(client({ client_id: 'x' })).toBe('audience_mismatch');
      expect(client({ aud: 'c1' })).toBe('audience_mismatch');
      expect(client({ aud: undefined, client_id: 'x c1' })).toBe('claim_invalid');
    });

    it('of the right type', () => {
      for (const client_id of [5, null, true, {}, ['c1', 5]])
        expect(client({ client_id })).toBe('claim_invalid');
    });

    it('below another one', () => {
      const options = { audienceClaim: String.raw`my\.app.client` };
      expect(client({ 'my.app': { client: 'c1' } }, options)).toBe('ok');
      expect(client({ my: { app: { client: 'c1' } } }, options)).toBe('audience_mismatch');
    });
  });

  it('does not matter where it is unchecked, but for its type', () => {
    const unchecked = { audience: 'unchecked' };
    expect(check(without('aud'), unchecked)).toBe('ok');
    expect(check({ ...CLAIMS, aud: 'x' }, unchecked)).toBe('ok');
    expect(check({ ...CLAIMS, aud: 5 }, unchecked)).toBe('claim_invalid');
  });
});

describe('claims of the wrong type', () => {
  it.each([
    ['sub', '["u"]'],
    ['sub', 'null'],
    ['jti', '5'],
    ['jti', '{"a":1}'],
    ['sid', 'true'],
    ['aud', '["aud",5]'],
    ['exp', '"1800000060"'],
    ['nbf', 'null'],
  ])('%s %s is refused', (name, text) => {
    expect(check(withClaim(name, text))).toBe('claim_invalid');
  });

  it('are named with what was expected', () => {
    const policy = compilePolicy({}, DEFAULTS);
    for (const [name, text, expected] of [
      ['jti', '5', 'a string'],
      ['aud', '[5]', 'a string or a list of strings'],
      ['exp', '"5"', 'a finite number'],
    ] as const)
      expect(refusalOfClaims(withClaim(name, text), policy, NOW)?.explanation).toBe(
        `claim '${name}' is not ${expected}`,
      );
  });
});

const needs = (claims: object, ...requiredClaims: string[]): string =>
  check({ ...CLAIMS, ...claims }, { requiredClaims });

describe('required claims', () => {
  it('have to be there and not null', () => {
    expect(needs({}, 'tenant')).toBe('claim_missing');
    expect(needs({ tenant: null }, 'tenant')).toBe('claim_missing');
    for (const tenant of ['', 0, false, [], {}]) expect(needs({ tenant }, 'tenant')).toBe('ok');
    expect(needs({ a: { b: 1 } }, 'a.b')).toBe('ok');
    expect(needs({ a: { b: 1 } }, 'a.b', 'a.c')).toBe('claim_missing');
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(needs({}, name)).toBe('claim_missing');
  });
});

describe('roles', () => {
  it.each([
    ['["r1"]', 'any', 'ok'],
    ['["x","r2"]', 'any', 'ok'],
    ['["r1"]', 'all', 'roles_missing'],
    ['["r2","x","r1"]', 'all', 'ok'],
    ['"r1"', 'any', 'ok'],
    ['"x r2"', 'any', 'ok'],
    ['"r1 r2"', 'all', 'ok'],
    ['"r1,r2"', 'all', 'ok'],
    ['"x, r2"', 'any', 'ok'],
    ['"r11"', 'any', 'roles_missing'],
    ['["r1 r2"]', 'any', 'roles_missing'],
    ['["R1"]', 'any', 'roles_missing'],
    ['""', 'any', 'roles_missing'],
    ['[]', 'any', 'roles_missing'],
    ['null', 'any', 'roles_missing'],
    ['1', 'any', 'roles_missing'],
    ['1e400', 'any', 'roles_missing'],
    ['true', 'any', 'roles_missing'],
    ['{"r1":true,"r2":{"123":"acme.example"}}', 'all', 'ok'],
    ['{"r1":false,"r2":null,"x":true}', 'any', 'roles_missing'],
    ['{"0":"r1","length":1}', 'any', 'roles_missing'],
    ['[["r1"]]', 'any', 'roles_missing'],
    ['[{"r1":1},1,null,1e400]', 'any', 'roles_missing'],
    ['[null,1,"r1"]', 'any', 'ok'],
  ] as const)('%s, %s of r1 and r2: %s', (text, rolesMatcher, verdict) => {
    expect(check(withClaim('roles', text), { roles: ['r1', 'r2'], rolesMatcher })).toBe(verdict);
  });

  it('are not asked for where none is required', () => {
    expect(check(CLAIMS)).toBe('ok');
    expect(check(CLAIMS, { roles: ['r1'] })).toBe('roles_missing');
  });

  it('do not match a number by its text', () => {
    expect(check(withClaim('roles', '[1,2]'), { roles: ['1'] })).toBe('roles_missing');
  });

  it('come from a nested claim only where that is configured', () => {
    const claims = { ...CLAIMS, realm: { roles: ['r1'] } };
    const options = { roles: ['r1'], rolesKey: 'realm.roles' };
    expect(check(claims, { ...options, rolesKeyIsNested: true })).toBe('ok');
    expect(check(claims, { ...options, rolesKeyIsNested: false })).toBe('roles_missing');
    expect(check(claims, options)).toBe('roles_missing');
    const flat = { ...CLAIMS, 'realm.roles': ['r1'] };
    expect(check(flat, options)).toBe('ok');
    // A user who can set a claim with a dot in its name must not give himself roles with it.
    expect(check(flat, { ...options, rolesKeyIsNested: true })).toBe('roles_missing');
  });

  it('come from a namespaced claim', () => {
    const rolesKey = 'https://example.com/roles';
    for (const rolesKeyIsNested of [true, false])
      expect(
        check({ ...CLAIMS, [rolesKey]: ['r1'] }, { roles: ['r1'], rolesKey, rolesKeyIsNested }),
      ).toBe('ok');
  });

  it('do not come from a prototype', () => {
    const claims = { ...CLAIMS, ...parse('{"__proto__":{"roles":["r1"]}}') };
    expect(check(claims, { roles: ['r1'] })).toBe('roles_missing');
    const options = { roles: ['Object'], rolesKey: 'constructor.name', rolesKeyIsNested: true };
    expect(check(CLAIMS, options)).toBe('roles_missing');
  });
});

describe('scopes', () => {
  it.each([
    ['"read write"', 'all', 'ok'],
    ['"read"', 'any', 'ok'],
    ['"read"', 'all', 'scopes_missing'],
    ['["write"]', 'any', 'ok'],
    ['"readwrite"', 'any', 'scopes_missing'],
    ['"  read  "', 'any', 'ok'],
    ['7', 'any', 'scopes_missing'],
    ['{"read":true}', 'any', 'scopes_missing'],
  ] as const)('%s, %s of read and write: %s', (text, scopesMatcher, verdict) => {
    const options = { scopes: ['read', 'write'], scopesMatcher };
    expect(check(withClaim('scope', text), options)).toBe(verdict);
  });

  it('come from nested claims too', () => {
    const claims = { ...CLAIMS, data: { scopes: ['read'] } };
    expect(check(claims, { scopes: ['read'], scopesKey: 'data.scopes' })).toBe('ok');
    expect(check(claims, { scopes: ['read'] })).toBe('scopes_missing');
    expect(check(CLAIMS, { scopes: ['read'] })).toBe('scopes_missing');
  });
});

describe('the login (RFC 9470)', () => {
  const MFA = ['urn:mfa', 'phr'];
  it.each([
    // The leeway is 2 s.
    [{ acr: MFA }, { acr: 'phr' }, 'ok'],
    [{ acr: MFA }, { acr: 'pwd' }, 'insufficient_user_authentication'],
    [{ acr: MFA }, { acr: ['phr'] }, 'insufficient_user_authentication'],
    [{ acr: MFA }, { acr: 'urn:mfa phr' }, 'insufficient_user_authentication'],
    [{ acr: MFA }, {}, 'insufficient_user_authentication'],
    [{ maxAge: 60 }, { auth_time: NOW - 62 }, 'ok'],
    [{ maxAge: 60 }, { auth_time: NOW - 62.5 }, 'insufficient_user_authentication'],
    [{ maxAge: 60 }, { auth_time: NOW + 2 }, 'ok'],
    [{ maxAge: 60 }, { auth_time: NOW + 3 }, 'insufficient_user_authentication'],
    [{ maxAge: 60 }, {}, 'insufficient_user_authentication'],
    [{ maxAge: 60 }, { auth_time: '1' }, 'claim_invalid'],
    [{ maxAge: 60 }, { auth_time: null }, 'claim_invalid'],
    [{ acr: MFA, maxAge: 60 }, { acr: 'phr', auth_time: NOW }, 'ok'],
    [{ acr: MFA, maxAge: 60 }, { acr: 'phr' }, 'insufficient_user_authentication'],
    [{}, { acr: 7, auth_time: 'x' }, 'ok'],
  ])('%j, claims %j: %s', (options, claims, verdict) => {
    expect(check({ ...CLAIMS, ...claims }, options)).toBe(verdict);
  });

  it('is not that of a prototype', () => {
    expect(check({ ...CLAIMS, ...parse('{"__proto__":{"acr":"phr"}}') }, { acr: MFA })).toBe(
      'insufficient_user_authentication',
    );
  });
});

it('reports the first check that fails: times, issuer, audience, presence, login, roles, scopes', () => {
  const options = { acr: ['mfa'], roles: ['r'], scopes: ['s'], requiredClaims: ['c'] };
  const claims: Record<string, unknown> = { exp: 0 };
  const repairs: [string, object][] = [
    ['token_expired', { exp: NOW + 60 }],
    ['issuer_mismatch', { iss: 'iss' }],
    ['audience_mismatch', { aud: 'aud' }],
    ['claim_missing', { c: 1 }],
    ['insufficient_user_authentication', { acr: 'mfa' }],
    ['roles_missing', { roles: ['r'] }],
    ['scopes_missing', { scope: 's' }],
  ];
  for (const [code, repair] of repairs) {
    expect(check(claims, options)).toBe(code);
    Object.assign(claims, repair);
  }
  expect(check(claims, options)).toBe('ok');
});

it('no refusal is left lying: a call is never a statement of its own', () => {
  const sources = globSync('src/**/*.ts', { exclude: ['**/*.spec.ts'] }).map((path) =>
    readFileSync(path, 'utf8').replaceAll(/\/\*.*?\*\/|^ *\/\/[^\n]*$/gms, ''),
  );
  const matches = (pattern: RegExp): string[] =>
    sources.flatMap((text) => text.match(pattern) ?? []);
  expect(matches(/(?<!function )\brefusalOf\w+\(/g).length).toBeGreaterThan(10);
  expect(matches(/[;{})]\s*\n\s*(?:await |void )?(?:this\.)?refusalOf\w+\(/g)).toEqual([]);
});
