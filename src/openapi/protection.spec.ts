import { describe, expect, it } from 'vitest';
import { compilePolicy, type RoutePolicyOptions } from '../core/verify/index.js';
import { describeProtection, type Protection } from './protection.js';

const protection = (route: RoutePolicyOptions = {}, method = 'get'): Protection =>
  describeProtection(
    compilePolicy(route, {
      algorithms: ['ES256'],
      issuer: 'https://issuer.example',
      audience: 'https://api.example',
    }),
    method,
  );

describe('describeProtection', () => {
  it('of a bare @RequireJwt: a bearer token, and what may be wrong with it', () => {
    expect(protection()).toEqual({
      schemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      security: [{ bearer: [] }],
      text: 'Needs a token.',
      errors: {
        400: ['token_ambiguous'],
        401: ['token_missing', 'invalid_token'],
        503: ['keys_unavailable', 'state_unavailable'],
      },
    });
  });

  it('names roles, scopes and claims as they are asked for', () => {
    const { text, errors } = protection({
      roles: ['clerk', 'admin'],
      rolesKey: 'realm_access.roles',
      scopes: ['orders:read', 'orders:write'],
      scopesMatcher: 'all',
      requiredClaims: ['tenant'],
    });
    expect(text).toBe(
      'Needs a token. Needs any of the roles `clerk`, `admin` (claim `realm_access.roles`). ' +
        'Needs all of the scopes `orders:read`, `orders:write`. Needs the claims `tenant`.',
    );
    expect(errors[403]).toEqual(['roles_missing', 'scopes_missing']);
  });

  it('names the login that it asks for (RFC 9470)', () => {
    const { text, errors } = protection({ acr: ['urn:mfa', 'phr'], maxAge: 300 });
    expect(text).toBe(
      'Needs a token. Needs a login with one of `urn:mfa`, `phr` (`acr`, RFC 9470). ' +
        'Needs a login within the last 300 s (`auth_time`, RFC 9470).',
    );
    expect(errors[401]).toContain('insufficient_user_authentication');
    expect(protection().errors[401]).not.toContain('insufficient_user_authentication');
  });

  it('of an optional token: none is an answer, too, and never missing', () => {
    const { security, text, errors } = protection({ optional: true });
    expect(security).toEqual([{ bearer: [] }, {}]);
    expect(text).toBe('A token may be left out.');
    expect(errors[401]).toEqual(['invalid_token']);
  });

  it('of a cookie: a second scheme, under a name that a component may have', () => {
    const { schemes, security } = protection({ cookieKey: '__Host-access token' });
    expect(schemes['cookie-__Host-access-token']).toEqual({
      type: 'apiKey',
      in: 'cookie',
      name: '__Host-access token',
    });
    expect(security).toEqual([{ bearer: [] }, { 'cookie-__Host-access-token': [] }]);
  });

  it.each([
    ['get', undefined],
    ['head', undefined],
    ['options', undefined],
    ['post', ['csrf_refused']],
    ['delete', ['csrf_refused']],
  ])('of a cookie, %s: refused from other sites with %j', (method, forbidden) => {
    expect(protection({ cookieKey: 'token' }, method).errors[403]).toEqual(forbidden);
    expect(protection({}, method).errors[403]).toBeUndefined();
  });

  it('of another header: an API key', () => {
    const { schemes, security } = protection({ authHeaderName: 'X-Token' });
    expect(schemes).toEqual({ 'x-token': { type: 'apiKey', in: 'header', name: 'x-token' } });
    expect(security).toEqual([{ 'x-token': [] }]);
  });
});
