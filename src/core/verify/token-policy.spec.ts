import { describe, expect, it } from 'vitest';
import type { JwsAlgorithm } from '../jws/index.js';
import type { TokenPolicyOptions } from './policy-options.js';
import { hasUncheckedAudience } from './policy-rules.js';
import { compilePolicy } from './token-policy.js';

const DEFAULTS: TokenPolicyOptions = {
  algorithms: ['HS256', 'ES256'],
  issuer: 'https://issuer',
  audience: ['a', 'b'],
};
const problem = (text: RegExp) =>
  expect.objectContaining({
    name: 'BootError',
    message: expect.stringMatching(text) as string,
  }) as Error;

describe('compilePolicy', () => {
  it('fills in the defaults', () => {
    const policy = compilePolicy({}, DEFAULTS);
    expect(policy).toMatchObject({
      audiences: ['a', 'b'],
      audienceClaim: 'aud',
      anyAudience: false,
      audienceMatcher: 'any',
      profiled: true,
      maxTokenLength: 16_384,
      roles: [],
      rolesKey: 'roles',
      rolesKeyIsNested: false,
      rolesMatcher: 'any',
      scopesKey: 'scope',
      scopesMatcher: 'any',
      authHeaderName: 'authorization',
      leeway: 1,
    });
    expect(policy.cookieKey).toBeUndefined();
    expect([...policy.algorithms]).toEqual(['HS256', 'ES256']);
    expect([...policy.issuers]).toEqual(['https://issuer']);
    expect([...policy.types]).toEqual(['jwt', 'at+jwt']);
  });

  it('lets the route override single members and keeps the others', () => {
    const route = { audience: 'c', roles: ['r'], leeway: 0, authHeaderName: 'X-Token' };
    const policy = compilePolicy(route, { ...DEFAULTS, cookieKey: 'session' });
    expect(policy).toMatchObject({
      audiences: ['c'],
      roles: ['r'],
      leeway: 0,
      authHeaderName: 'x-token',
      cookieKey: 'session',
    });
    expect([...policy.algorithms]).toEqual(['HS256', 'ES256']);
  });

  it('keeps a default that the route sets to undefined', () => {
    // `@RequireJwt({ issuer: process.env.X })` with X unset must not switch a check off.
    const names = ['algorithms', 'issuer', 'audience', 'audienceMatcher', 'types', 'leeway'];
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(compilePolicy(nothing, DEFAULTS)).toEqual(compilePolicy({}, DEFAULTS));
  });

  it.each(['algorithms', 'issuer', 'audience', 'types'])('refuses an empty list of %s', (name) => {
    expect(() => compilePolicy({ [name]: [] }, DEFAULTS)).toThrow(
      problem(new RegExp(`'${name}' is empty`)),
    );
    expect(() => compilePolicy({}, { ...DEFAULTS, [name]: [] })).toThrow(
      problem(new RegExp(`'${name}' is empty`)),
    );
  });

  it.each(['none', 'hs256', 'HS1', 'constructor'])('refuses the algorithm %s', (name) => {
    const algorithms: JwsAlgorithm[] = ['HS256', name as JwsAlgorithm];
    expect(() => compilePolicy({ algorithms }, DEFAULTS)).toThrow(
      problem(new RegExp(`'${name}' is not a supported algorithm`)),
    );
  });

  // An endless leeway means that exp is never checked.
  it.each([-1, NaN, Infinity])('refuses a leeway of %f', (leeway) => {
    expect(() => compilePolicy({ leeway }, DEFAULTS)).toThrow(problem(/'leeway'/));
  });

  it('accepts proofs where it is told to, by asymmetric algorithms, within a minute', () => {
    expect(compilePolicy({}, DEFAULTS).dpop).toBe(false);
    expect(compilePolicy({}, { ...DEFAULTS, dpop: 'required' }).dpop).toBe('required');
    const policy = compilePolicy({ dpop: true }, { ...DEFAULTS, dpop: 'required' });
    expect([policy.dpop, policy.dpopWindow]).toEqual([true, 60]);
    expect([...policy.dpopAlgorithms]).toEqual(
      expect.arrayContaining(['RS256', 'ES256', 'Ed25519']),
    );
    expect([...policy.dpopAlgorithms].filter((alg) => alg.startsWith('HS'))).toEqual([]);
    expect(policy.credentialHeaders).toContain('dpop');
  });

  it.each(['HS256', 'none', 'ML-DSA-87'])('refuses %s for proofs', (name) => {
    const dpopAlgorithms = ['ES256', name as JwsAlgorithm] as const;
    expect(() => compilePolicy({ dpopAlgorithms }, DEFAULTS)).toThrow(problem(new RegExp(name)));
    expect(() => compilePolicy({ dpopAlgorithms: [] }, DEFAULTS)).toThrow(problem(/is empty/));
  });

  it.each([0, -1, NaN, Infinity, 3601])('refuses a window of %f s for proofs', (dpopWindow) => {
    expect(() => compilePolicy({ dpopWindow }, DEFAULTS)).toThrow(problem(/'dpopWindow'/));
  });

  it.each([[], '', 'mfa', [''], ['a b'], ['a"b'], ['a\\b'], ['ä'], [7], [null], {}, null])(
    'refuses the acr %j',
    (acr) => {
      const compile = () => compilePolicy({ acr: acr as string[] }, DEFAULTS);
      expect(compile).toThrow(problem(/'acr' is not a list of strings/));
    },
  );

  it.each([0, -1, 1.5, NaN, Infinity, '300', null, [300]])('refuses a maxAge of %j', (maxAge) => {
    const compile = () => compilePolicy({ maxAge: maxAge as number }, DEFAULTS);
    expect(compile).toThrow(problem(/'maxAge' is not a whole number of seconds/));
  });

  it.each([{ acr: ['mfa'] }, { maxAge: 60 }])('refuses %j of a token that is optional', (route) => {
    expect(() => compilePolicy({ ...route, optional: true }, DEFAULTS)).toThrow(
      problem(/'optional' lets everybody in/),
    );
  });

  it.each([0, -1, 1.5, NaN, Infinity])('refuses a maxTokenLength of %f', (maxTokenLength) => {
    expect(() => compilePolicy({ maxTokenLength }, DEFAULTS)).toThrow(problem(/'maxTokenLength'/));
  });

  it('checks no audience only where it is said and nothing else is', () => {
    for (const audience of ['unchecked', ['unchecked']])
      expect(compilePolicy({ audience }, DEFAULTS).anyAudience).toBe(true);
    expect(compilePolicy({ audience: 'Unchecked' }, DEFAULTS).anyAudience).toBe(false);
    expect(() => compilePolicy({ audience: ['a', 'unchecked'] }, DEFAULTS)).toThrow(
      problem(/'unchecked' and names recipients/),
    );
    const options = { audience: 'unchecked', audienceClaim: 'client_id' };
    expect(() => compilePolicy(options, DEFAULTS)).toThrow(problem(/'audienceClaim'/));
  });

  it('warns where nothing says whom tokens are for', () => {
    const warns = (route: object, check?: () => Promise<void>): boolean =>
      hasUncheckedAudience(compilePolicy(route, DEFAULTS, check));
    expect(warns({})).toBe(false);
    expect(warns({ audience: 'unchecked' })).toBe(true);
    expect(warns({ audience: 'unchecked', requiredClaims: ['client_id'] })).toBe(false);
    expect(warns({ audience: 'unchecked' }, () => Promise.resolve())).toBe(false);
    const a = { issuer: 'https://a', jwksUri: 'https://a/jwks' };
    expect(warns({ issuers: [a] })).toBe(false);
    expect(warns({ issuers: [a, { ...a, issuer: 'https://b', audience: 'unchecked' }] })).toBe(
      true,
    );
  });

  it('asks for the profile of own tokens always, of those of others where it is said', () => {
    const profiled = (route: object, defaults: object = {}): boolean =>
      compilePolicy(route, { ...DEFAULTS, ...defaults }).profiled;
    expect(profiled({})).toBe(true);
    expect(profiled({}, { profile: 'none' })).toBe(false);
    const other = { jwkUrl: 'https://a/jwks' };
    expect(profiled(other)).toBe(false);
    expect(profiled(other, { profile: 'rfc9068' })).toBe(true);
    const issuers = [
      { issuer: 'https://own', own: true },
      { issuer: 'https://a', jwksUri: 'https://a/jwks' },
      { issuer: 'https://b', jwksUri: 'https://b/jwks', profile: 'rfc9068' },
    ] as const;
    const each = (profile?: 'none' | 'rfc9068'): boolean[] =>
      [...(compilePolicy({ issuers, profile }, DEFAULTS).perIssuer?.values() ?? [])].map(
        (policy) => policy.profiled,
      );
    expect(each()).toEqual([true, false, true]);
    expect(each('none')).toEqual([true, false, true]);
    expect(each('rfc9068')).toEqual([true, true, true]);
  });

  it('reports all problems at once', () => {
    const route = { algorithms: [], audience: [], leeway: -1 };
    expect(() => compilePolicy(route, DEFAULTS)).toThrow(
      problem(/'algorithms'[^]*'audience'[^]*'leeway'/),
    );
  });
});
