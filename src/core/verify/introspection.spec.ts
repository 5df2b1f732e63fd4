import { hash, randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BootError, TokenRefusedError } from '../errors/index.js';
import type { JwsKey } from '../jws/index.js';
import { generateJwk, importJwk, KeySet } from '../keys/index.js';
import { tokenDigest, type TokenNames } from '../revocation/index.js';
import { signToken } from '../sign/index.js';
import {
  compilePolicy,
  verifyToken,
  type PolicyDefaults,
  type RoutePolicyOptions,
  type TokenHolder,
  type Verification,
} from './index.js';

const OWN = 'https://own';
const A = 'https://a';
const B = 'https://b';
const ENDPOINT = { url: 'https://a/introspect' };
const DEFAULTS: PolicyDefaults = {
  algorithms: ['ES256'],
  issuer: A,
  audience: 'api',
  introspection: ENDPOINT,
};
const OPAQUE = 'ory_at_0JzXm3-9~+/k.Ab12==';
const now = (): number => Math.floor(Date.now() / 1000);

let signing: JwsKey, stranger: JwsKey, set: KeySet;
beforeAll(() => {
  const make = (): [object, JwsKey] => {
    const jwk = { ...generateJwk('ES256'), kid: 'k' };
    const imported = importJwk(jwk);
    if (typeof imported === 'string') throw new Error(imported);
    return [jwk, imported.key];
  };
  const [jwk, key] = make();
  signing = key;
  [, stranger] = make();
  set = KeySet.parse(JSON.stringify(jwk), 'of the test');
});

type Answer = Record<string, unknown> | undefined;

/** What was asked, by endpoint. */
let asked: [url: string, token: string][];
let answer: Answer;
beforeEach(() => {
  asked = [];
  answer = undefined;
});
const verification: Verification = {
  keys: {
    verificationKeys: (names) => set.verifiers(names, 'kid', 0),
    awaitVerificationKeys: () => Promise.resolve([]),
  },
  introspector: {
    introspect: async (token, { url }) => {
      asked.push([url, token]);
      return answer;
    },
  },
};

/** `undefined` leaves a claim out. */
const active = (claims: object = {}): Answer =>
  JSON.parse(
    JSON.stringify({ iss: A, aud: 'api', sub: 'u1', exp: now() + 60, ...claims }),
  ) as Answer;

function jwt(claims: object = {}, key = signing, header: object = {}): string {
  const registered = { iss: A, aud: 'api', sub: 'u1', jti: randomUUID(), exp: now() + 60 };
  const format = { alg: 'ES256', kid: 'k', typ: 'JWT', full: false, ...header } as const;
  return signToken({ ...registered, ...claims }, key, format) as string;
}

async function verdict(
  token: string,
  route: RoutePolicyOptions = {},
  defaults = DEFAULTS,
  holder?: TokenHolder,
): Promise<string> {
  try {
    await verifyToken(token, compilePolicy(route, defaults), verification, holder);
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenRefusedError) return error.code;
    throw error;
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('what is asked about', () => {
  it.each<[string, string]>([
    ['an opaque token', OPAQUE],
    ['a short one', 'c0ffee'],
    ['one of two parts', 'ya29.a0Af'],
    ['one of three parts', 'glpat-a.01.b'],
    ['an encrypted one (JWE)', 'eyJhbGciOiJkaXIifQ..a.b.c'],
    ['the longest one', 'a'.repeat(16_384)],
  ])('%s', async (_what, token) => {
    answer = active();
    expect(await verdict(token)).toBe('accepted');
    expect(asked).toEqual([[ENDPOINT.url, token]]);
    // Without an endpoint, such a token is refused.
    asked = [];
    expect(await verdict(token, {}, { ...DEFAULTS, introspection: undefined })).toBe(
      'token_malformed',
    );
    expect(asked).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['a token that is too long', 'a'.repeat(16_385), 'token_malformed'],
    ['a blank in it', 'c0 ffee', 'token_malformed'],
    ['a line break at its end', 'c0ffee\n', 'token_malformed'],
    ['other characters', 'c0ffeé', 'token_malformed'],
    ['an asterisk', 'AQIC*AAJ', 'token_malformed'],
    ['"=" in the middle', 'a=b', 'token_malformed'],
    ['a JWT that is not signed', `${encode({ alg: 'none' })}.e30.`, 'algorithm_not_allowed'],
    ['a JWT without alg', `${encode({ typ: 'JWT' })}.e30.AAAA`, 'token_malformed'],
    ['a JWT with padding', `${encode({ alg: 'ES256', a: 1 })}=.e30.AAAA`, 'token_malformed'],
    ['a JWT with crit', `${encode({ alg: 'ES256', crit: [] })}.e30.AAAA`, 'token_malformed'],
    [
      'a JWT with a member twice',
      `${Buffer.from('{"alg":"ES256","alg":"none"}').toString('base64url')}.e30.AAAA`,
      'token_malformed',
    ],
  ])('not: %s', async (_what, token, code) => {
    answer = active();
    expect(await verdict(token)).toBe(code);
    expect(asked).toEqual([]);
  });

  it('not: a good JWT, nor one of a stranger', async () => {
    expect(await verdict(jwt())).toBe('accepted');
    expect(await verdict(jwt({}, stranger))).toBe('signature_invalid');
    expect(asked).toEqual([]);
  });

  it.each<[string, RoutePolicyOptions]>([
    ['for administrators', { admin: true }],
    ['with an issuer of its own', { issuer: B }],
    ['with issuers of its own', { issuers: [{ issuer: B }] }],
    ['with keys of its own', { jwkUrl: 'https://b/jwks', issuer: B }],
    ['with a key file of its own', { jwkLocalPath: 'b.json' }],
  ])('not: on a route %s', async (_what, route) => {
    answer = active();
    const defaults = { ...DEFAULTS, adminRoles: ['boss'] };
    expect(await verdict(OPAQUE, route, defaults)).toBe('token_malformed');
    expect(asked).toEqual([]);
  });

  it('where the route names an endpoint, that one', async () => {
    answer = active({ iss: B });
    const other = { url: 'https://b/introspect' };
    expect(await verdict(OPAQUE, { issuer: B, introspection: other })).toBe('accepted');
    expect(asked).toEqual([[other.url, OPAQUE]]);
  });
});

describe('what is answered goes through the checks of claims', () => {
  const without = (name: string): object => ({ [name]: undefined });
  it.each<[string, () => Answer, RoutePolicyOptions, string]>([
    ['active', () => active(), {}, 'accepted'],
    ['not active', () => undefined, {}, 'token_revoked'],
    ['expired', () => active({ exp: now() - 5 }), {}, 'token_expired'],
    ['without an end', () => active(without('exp')), {}, 'claim_missing'],
    ['an end that is text', () => active({ exp: '1' }), {}, 'claim_invalid'],
    ['not yet valid', () => active({ nbf: now() + 60 }), {}, 'token_not_yet_valid'],
    ['of the future', () => active({ iat: now() + 60 }), {}, 'token_not_yet_valid'],
    ['of another issuer', () => active({ iss: B }), {}, 'issuer_mismatch'],
    ['an issuer that is a number', () => active({ iss: 5 }), {}, 'issuer_mismatch'],
    ['an issuer that is null', () => active({ iss: null }), {}, 'issuer_mismatch'],
    ['a sub that is a list', () => active({ sub: ['u1'] }), {}, 'claim_invalid'],
    ['an aud with numbers', () => active({ aud: [1] }), {}, 'claim_invalid'],
    ['for another audience', () => active({ aud: 'x' }), {}, 'audience_mismatch'],
    ['without an audience', () => active(without('aud')), {}, 'audience_mismatch'],
    ['without one, unchecked', () => active(without('aud')), { audience: 'unchecked' }, 'accepted'],
    ['without one, by client_id', () => active({ aud: undefined, client_id: 'api' }), { audienceClaim: 'client_id' }, 'accepted'],
    ['with the role', () => active({ roles: ['clerk'] }), { roles: ['clerk'] }, 'accepted'],
    ['without the role', () => active(), { roles: ['clerk'] }, 'roles_missing'],
    ['with the scope', () => active({ scope: 'read write' }), { scopes: ['read'] }, 'accepted'],
    ['without the scope', () => active({ scope: 'write' }), { scopes: ['read'] }, 'scopes_missing'],
    ['with the login', () => active({ acr: 'gold', auth_time: now() }), { acr: ['gold'], maxAge: 60 }, 'accepted'],
    ['without the login', () => active({ auth_time: now() }), { acr: ['gold'] }, 'insufficient_user_authentication'],
    ['after an old login', () => active({ auth_time: now() - 90 }), { maxAge: 60 }, 'insufficient_user_authentication'],
    ['without a required claim', () => active(), { requiredClaims: ['tenant'] }, 'claim_missing'],
    ['with token_type Bearer', () => active({ token_type: 'Bearer' }), {}, 'accepted'],
    ['with token_type access_token', () => active({ token_type: 'access_token' }), {}, 'accepted'],
    ['with token_use access_token (Hydra)', () => active({ token_use: 'access_token' }), {}, 'accepted'],
    ['a refresh token (Hydra)', () => active({ token_use: 'refresh_token', token_type: 'Bearer' }), {}, 'type_not_allowed'],
    ['a refresh token', () => active({ token_type: 'refresh_token' }), {}, 'type_not_allowed'],
    ['a refresh token by its URN', () => active({ token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }), {}, 'type_not_allowed'],
    ['a refresh token (Keycloak)', () => active({ typ: 'Refresh' }), {}, 'type_not_allowed'],
    ['an offline token (Keycloak)', () => active({ typ: 'Offline' }), {}, 'type_not_allowed'],
    ['an ID token (Keycloak)', () => active({ typ: 'ID' }), {}, 'type_not_allowed'],
    ['an ID token', () => active({ token_use: 'id' }), {}, 'type_not_allowed'],
    ['a token_type that is no text', () => active({ token_type: {} }), {}, 'claim_invalid'],
    ['a token_use that is no text', () => active({ token_use: ['access'] }), {}, 'claim_invalid'],
    ['bound, and does not say to what', () => active({ token_type: 'DPoP' }), {}, 'claim_missing'],
    ['bound to a key', () => active({ token_type: 'DPoP', cnf: { jkt: 'k'.repeat(43) } }), { dpop: true }, 'dpop_proof_missing'],
    ['bound to a key, off', () => active({ cnf: { jkt: 'k'.repeat(43) } }), { dpop: false }, 'dpop_disabled'],
    ['bound to a certificate', () => active({ cnf: { 'x5t#S256': 'k'.repeat(43) } }), {}, 'claim_invalid'],
    ['bound to something else', () => active({ cnf: {} }), {}, 'claim_invalid'],
    ['bound to null', () => active({ cnf: null }), {}, 'claim_invalid'],
  ])('%s', async (_what, make, route, code) => {
    answer = make();
    expect(await verdict(OPAQUE, route)).toBe(code);
    // An answer without `iss` belongs to the only issuer.
    if (answer?.iss === A) delete answer.iss;
    expect(await verdict(OPAQUE, route)).toBe(code);
  }); // prettier-ignore

  it('names the issuer in the claims, and the answer itself stays as it is', async () => {
    answer = Object.freeze({ aud: 'api', exp: now() + 60 });
    const claims = await verifyToken(OPAQUE, compilePolicy({}, DEFAULTS), verification);
    expect(claims.iss).toBe(A);
  });

  it('a bound one counts with the certificate', async () => {
    const certificate = hash('sha256', 'a certificate', 'base64url');
    answer = active({ cnf: { 'x5t#S256': certificate } });
    const holder = (actual: string): TokenHolder => ({
      scheme: 'Bearer',
      method: 'GET',
      url: () => 'https://gw/x',
      proofs: () => [],
      certificate: () => actual,
    });
    expect(await verdict(OPAQUE, {}, DEFAULTS, holder(certificate))).toBe('accepted');
    expect(await verdict(OPAQUE, {}, DEFAULTS, holder('x'))).toBe('claim_invalid');
  });

  it('can be revoked here: by its claims, or by what it is', async () => {
    const seen: TokenNames[] = [];
    const revoked = new Set<string>();
    const revocations = {
      isRevoked: (token: TokenNames) => {
        seen.push(token);
        return revoked.has(tokenDigest(token));
      },
      noteExpiry: () => undefined,
    };
    answer = active();
    const issuers = [{ issuer: OWN, own: true }, { issuer: A }];
    const policy = compilePolicy({}, { ...DEFAULTS, issuers });
    const verify = () => verifyToken(OPAQUE, policy, { ...verification, revocations });
    await verify();
    expect(seen).toEqual([{ issuer: A, claims: answer, signingInput: OPAQUE }]);
    revoked.add(tokenDigest(seen[0] as TokenNames));
    expect([...revoked]).toEqual([`"${A}" sha256:${hash('sha256', OPAQUE, 'base64url')}`]);
    await expect(verify()).rejects.toMatchObject({ code: 'token_revoked' });
  });
});

describe('with several issuers an endpoint speaks for those that are not our own', () => {
  const own = { issuer: OWN, own: true };
  it.each<[string, unknown, readonly object[], string]>([
    ['a', A, [own, { issuer: A }, { issuer: B }], 'accepted'],
    ['b', B, [own, { issuer: A }, { issuer: B }], 'accepted'],
    ['ourselves', OWN, [own, { issuer: A }, { issuer: B }], 'issuer_mismatch'],
    ['a stranger', 'https://c', [own, { issuer: A }, { issuer: B }], 'issuer_mismatch'],
    ['nobody, of two', undefined, [own, { issuer: A }, { issuer: B }], 'issuer_mismatch'],
    ['nobody, of one', undefined, [own, { issuer: A }], 'accepted'],
    ['nobody, of none', undefined, [own], 'issuer_mismatch'],
    ['ourselves, of none', OWN, [own], 'issuer_mismatch'],
  ])('an answer of %s', async (_what, iss, issuers, code) => {
    const { iss: _none, ...rest } = active() ?? {};
    answer = iss === undefined ? rest : { ...rest, iss };
    const defaults = { ...DEFAULTS, issuers: issuers as NonNullable<PolicyDefaults['issuers']> };
    expect(await verdict(OPAQUE, {}, defaults)).toBe(code);
  });

  it.each<[string, string, Partial<PolicyDefaults>, RoutePolicyOptions, string]>([
    ['one of several that are listed', A, { issuers: [own, { issuer: A }] }, {}, 'accepted'],
    ['the listed one', A, {}, {}, 'accepted'],
    ['one that is found, beside several', B, { issuers: [own, { issuer: A }] }, {}, 'issuer_mismatch'],
    ['one that is found, beside one', B, {}, {}, 'issuer_mismatch'],
    ['one that is found, beside none', B, { issuer: [] }, {}, 'issuer_mismatch'],
    ['ourselves, beside several', OWN, { issuers: [own, { issuer: A }] }, {}, 'issuer_mismatch'],
    ['ourselves, with keys of others', A, {}, { jwkUrl: 'https://b/jwks', issuer: [A, B] }, 'issuer_mismatch'],
    ['others, with their keys', B, {}, { jwkUrl: 'https://b/jwks', issuer: [A, B] }, 'accepted'],
  ])('and that are listed: an answer of %s', async (_what, iss, options, route, code) => {
    answer = active({ iss });
    const found: string[] = [];
    const policy = compilePolicy({ introspection: ENDPOINT, ...route }, { ...DEFAULTS, ...options }, undefined, async (name, compile) => {
      found.push(name);
      return compile({ issuer: name });
    });
    const verified = verifyToken(OPAQUE, policy, verification).then(
      () => 'accepted',
      (error: TokenRefusedError) => error.code,
    );
    expect(await verified).toBe(code);
    expect(found).toEqual([]);
  }); // prettier-ignore

  it('JWTs of an issuer that is found are asked about where it says, or where the module says', async () => {
    const endpoint = { url: 'https://b/introspect' };
    for (const [introspection, url] of [[endpoint, endpoint.url], [undefined, ENDPOINT.url]] as const) {
      asked = [];
      answer = active({ iss: B });
      const defaults = { ...DEFAULTS, introspection: { ...ENDPOINT, tokens: 'all' } } as const;
      const policy = compilePolicy({}, defaults, undefined, async (issuer, compile) =>
        compile({ issuer, introspection }),
      );
      const token = jwt({ iss: B });
      expect(await verifyToken(token, policy, verification)).toMatchObject({ iss: B });
      expect(asked).toEqual([[url, token]]);
      // The answer must not name another issuer than the token.
      for (const iss of [OWN, A, 'https://c']) {
        answer = active({ iss });
        const refusal = verifyToken(token, policy, verification);
        await expect(refusal).rejects.toMatchObject({ code: 'issuer_mismatch' });
      }
    }
  }); // prettier-ignore

  it('what holds for the issuer holds for its answers', async () => {
    answer = active();
    const issuers = [own, { issuer: A, audience: 'other' }];
    expect(await verdict(OPAQUE, {}, { ...DEFAULTS, issuers })).toBe('audience_mismatch');
  });
});

describe('JWTs of an issuer that is asked about them', () => {
  const lightweight = (): object => ({ aud: undefined, sub: undefined });
  const perIssuer = (): PolicyDefaults => ({
    ...DEFAULTS,
    introspection: undefined,
    issuers: [{ issuer: OWN, own: true }, { issuer: A, introspection: ENDPOINT }, { issuer: B }],
  });

  it.each<[string, () => string, () => Answer, string, number]>([
    ['active', () => jwt(lightweight()), () => active(), 'accepted', 1],
    ['active, without what the token says', () => jwt(), () => ({ username: 'u' }), 'accepted', 1],
    ['not active', () => jwt(), () => undefined, 'token_revoked', 1],
    ['for another audience', () => jwt(), () => active({ aud: 'x' }), 'audience_mismatch', 1],
    ['of another issuer', () => jwt(), () => active({ iss: B }), 'issuer_mismatch', 1],
    ['of ourselves', () => jwt(), () => active({ iss: OWN }), 'issuer_mismatch', 1],
    ['a refresh token', () => jwt(), () => active({ typ: 'Refresh' }), 'type_not_allowed', 1],
    ['expired, by the answer', () => jwt(), () => active({ exp: 5 }), 'token_expired', 1],
    ['bound, by the token alone', () => jwt({ cnf: { jkt: 'k'.repeat(43) } }), () => active(), 'dpop_disabled', 1],
    ['expired', () => jwt({ exp: now() - 5 }), () => active(), 'token_expired', 0],
    ['of a stranger', () => jwt({}, stranger), () => active(), 'signature_invalid', 0],
    ['of another type', () => jwt({}, signing, { typ: 'rt+jwt' }), () => active(), 'type_not_allowed', 0],
    ['of b', () => jwt({ iss: B }), () => undefined, 'accepted', 0],
    ['our own', () => jwt({ iss: OWN }), () => undefined, 'accepted', 0],
    ['no JWT', () => OPAQUE, () => active(), 'token_malformed', 0],
  ])('%s', async (_what, token, make, code, times) => {
    answer = make();
    expect(await verdict(token(), { dpop: false }, perIssuer())).toBe(code);
    expect(asked.length).toBe(times);
  }); // prettier-ignore

  it("with tokens: 'all' those of every issuer that is not our own, on routes for administrators, too", async () => {
    const introspection = { ...ENDPOINT, tokens: 'all' } as const;
    const several = { ...perIssuer(), introspection };
    expect(await verdict(jwt({ iss: OWN }), {}, several)).toBe('accepted');
    expect(await verdict(jwt({ iss: B }), {}, several)).toBe('token_revoked');
    expect(await verdict(jwt(), {}, several)).toBe('token_revoked');
    const one = { ...DEFAULTS, introspection, adminRoles: ['boss'] };
    const token = jwt({ roles: ['boss'] });
    expect(await verdict(token, { admin: true }, one)).toBe('token_revoked');
    answer = active({ roles: ['boss'] });
    expect(await verdict(token, { admin: true }, one)).toBe('accepted');
  });

  it('the claims are those of both, the answer first', async () => {
    answer = { roles: ['clerk'], sub: 'u2' };
    const policy = compilePolicy({}, perIssuer());
    const claims = await verifyToken(jwt({ jti: 'j' }), policy, verification);
    expect(claims).toMatchObject({ iss: A, aud: 'api', jti: 'j', sub: 'u2', roles: ['clerk'] });
  });

  it('the profile of RFC 9068 is about the claims of both', async () => {
    answer = { client_id: 'c', iat: now(), jti: 'j' };
    const defaults = { ...perIssuer(), profile: 'rfc9068' } as const;
    expect(await verdict(jwt({}, signing, { typ: 'at+jwt' }), {}, defaults)).toBe('accepted');
    answer = {};
    expect(await verdict(jwt({}, signing, { typ: 'at+jwt' }), {}, defaults)).toBe('claim_missing');
  });
});

it('our own tokens are not asked about', () => {
  const issuers = [{ issuer: OWN, own: true, introspection: ENDPOINT }];
  expect(() => compilePolicy({}, { ...DEFAULTS, issuers })).toThrow(BootError);
});

it('an Introspector is needed where one is asked', async () => {
  const { introspector: _none, ...rest } = verification;
  await expect(verifyToken(OPAQUE, compilePolicy({}, DEFAULTS), rest)).rejects.toThrow(TypeError);
});
