import { describe, expect, it } from 'vitest';
import type { JwsAlgorithm } from '../jws/index.js';
import type { TokenRequirement } from '../../auth/auth.module-definition.js';
import { compileRequirement } from './token-policy.js';

const DEFAULTS: TokenRequirement = {
  algorithms: ['HS256', 'ES256'],
  issuer: 'https://issuer',
  audience: ['a', 'b'],
};
const problem = (text: RegExp) =>
  expect.objectContaining({
    name: 'BootException',
    message: expect.stringMatching(text) as string,
  }) as Error;

describe('compileRequirement', () => {
  it('fills in the defaults', () => {
    const requirement = compileRequirement({}, DEFAULTS);
    expect(requirement).toMatchObject({
      audiences: ['a', 'b'],
      audienceMatcher: 'any',
      roles: [],
      rolesKey: 'roles',
      rolesKeyIsNested: false,
      rolesMatcher: 'any',
      scopesKey: 'scope',
      scopesMatcher: 'any',
      authHeaderName: 'authorization',
      leeway: 1,
    });
    expect(requirement.cookieKey).toBeUndefined();
    expect([...requirement.algorithms]).toEqual(['HS256', 'ES256']);
    expect([...requirement.issuers]).toEqual(['https://issuer']);
    expect([...requirement.types]).toEqual(['jwt', 'at+jwt']);
  });

  it('lets the route override single members and keeps the others', () => {
    const route = { audience: 'c', roles: ['r'], leeway: 0, authHeaderName: 'X-Token' };
    const requirement = compileRequirement(route, { ...DEFAULTS, cookieKey: 'session' });
    expect(requirement).toMatchObject({
      audiences: ['c'],
      roles: ['r'],
      leeway: 0,
      authHeaderName: 'x-token',
      cookieKey: 'session',
    });
    expect([...requirement.algorithms]).toEqual(['HS256', 'ES256']);
  });

  it('keeps a default that the route sets to undefined', () => {
    // `@RequireJwt({ issuer: process.env.X })` with X unset must not switch a check off.
    const names = ['algorithms', 'issuer', 'audience', 'audienceMatcher', 'types', 'leeway'];
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(compileRequirement(nothing, DEFAULTS)).toEqual(compileRequirement({}, DEFAULTS));
  });

  it.each(['algorithms', 'issuer', 'audience', 'types'])('refuses an empty list of %s', (name) => {
    expect(() => compileRequirement({ [name]: [] }, DEFAULTS)).toThrow(
      problem(new RegExp(`'${name}' is empty`)),
    );
    expect(() => compileRequirement({}, { ...DEFAULTS, [name]: [] })).toThrow(
      problem(new RegExp(`'${name}' is empty`)),
    );
  });

  it.each(['none', 'hs256', 'HS1', 'constructor'])('refuses the algorithm %s', (name) => {
    const algorithms: JwsAlgorithm[] = ['HS256', name as JwsAlgorithm];
    expect(() => compileRequirement({ algorithms }, DEFAULTS)).toThrow(
      problem(new RegExp(`'${name}' is not a supported algorithm`)),
    );
  });

  // An endless leeway means that exp is never checked.
  it.each([-1, NaN, Infinity])('refuses a leeway of %f', (leeway) => {
    expect(() => compileRequirement({ leeway }, DEFAULTS)).toThrow(problem(/'leeway'/));
  });

  it('reports all problems at once', () => {
    const route = { algorithms: [], audience: [], leeway: -1 };
    expect(() => compileRequirement(route, DEFAULTS)).toThrow(
      problem(/'algorithms'[^]*'audience'[^]*'leeway'/),
    );
  });
});
