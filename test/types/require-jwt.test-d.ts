import { describe, expectTypeOf, it } from 'vitest';
import {
  Claims,
  RequireJwt,
  type RequireJwtOptions,
  type VerifiedClaims,
} from '../../src/auth/index.js';

describe('@RequireJwt compiles', () => {
  it('on a class and on a method, with and without options', () => {
    @RequireJwt()
    class Accepted {
      @RequireJwt({ roles: ['clerk', 'admin'], rolesMatcher: 'all', requiredClaims: ['tenant'] })
      roles(): void {}

      @RequireJwt({ scopes: ['read'], scopesMatcher: 'any', audienceMatcher: 'all' })
      scopes(): void {}

      @RequireJwt({ issuer: 'https://a', audience: ['b', 'c'], algorithms: ['ES256', 'EdDSA'] })
      recipients(): void {}

      @RequireJwt({ dpop: 'required', dpopAlgorithms: ['ES256'], dpopWindow: 30 })
      bound(): void {}

      @RequireJwt({ dpop: true })
      @RequireJwt({ dpop: false })
      boundOrNot(): void {}

      @RequireJwt({ issuer: process.env.ISSUER, cookieKey: undefined, leeway: 0 })
      unset(@Claims() _claims: VerifiedClaims, @Claims('sub') _sub: string): void {}
    }
    expectTypeOf(Accepted).toBeConstructibleWith();
  });

  it('with lists that are constant', () => {
    const ROLES = ['a', 'b'] as const;
    expectTypeOf(RequireJwt({ roles: ROLES })).toExtend<MethodDecorator>();
  });
});

describe('@RequireJwt does not compile', () => {
  it('with an option that would otherwise be ignored', () => {
    // @ts-expect-error -- mistyped: without this check the route would ask for no role
    void RequireJwt({ role: ['admin'] });
    // @ts-expect-error -- a list, since 'a b' could mean one role or two
    void RequireJwt({ roles: 'admin' });
    // @ts-expect-error -- roles are strings
    void RequireJwt({ roles: [1] });
    // @ts-expect-error -- a list
    void RequireJwt({ scopes: 'read write' });
    // @ts-expect-error -- any or all
    void RequireJwt({ rolesMatcher: 'some' });
    // @ts-expect-error -- not an algorithm that is supported
    void RequireJwt({ algorithms: ['none'] });
    // @ts-expect-error -- exact spelling
    void RequireJwt({ algorithms: ['es256'] });
    // @ts-expect-error -- a list
    void RequireJwt({ algorithms: 'ES256' });
    // @ts-expect-error -- seconds
    void RequireJwt({ leeway: '10s' });
    // @ts-expect-error -- true, false or required; a text that means nothing would be taken for true
    void RequireJwt({ dpop: 'supported' });
    // @ts-expect-error -- an option of the module
    void RequireJwt({ mtlsHeader: 'X-Cert' });
    // @ts-expect-error -- null is not unset
    void RequireJwt({ issuer: null });
    // @ts-expect-error -- options, not a list of roles
    void RequireJwt('admin');
    expectTypeOf(RequireJwt).parameter(0).toEqualTypeOf<RequireJwtOptions | undefined>();
  });

  it('on a parameter', () => {
    class OnParameter {
      // @ts-expect-error -- a guard protects routes
      method(@RequireJwt() _parameter: string): void {}
    }
    expectTypeOf(OnParameter).toBeConstructibleWith();
  });
});

describe('VerifiedClaims', () => {
  it('has the registered claims and the own ones', () => {
    type Own = VerifiedClaims<{ tenant: string; level?: number }>;
    expectTypeOf<Own['tenant']>().toEqualTypeOf<string>();
    expectTypeOf<Own['exp']>().toEqualTypeOf<number>();
    expectTypeOf<Own['sub']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<VerifiedClaims['anything']>().toEqualTypeOf<unknown>();
  });

  it('cannot be written to', () => {
    const claims = {} as VerifiedClaims<{ tenant: string }>;
    // @ts-expect-error -- verified is verified
    claims.sub = 'admin';
    // @ts-expect-error -- verified is verified
    claims.tenant = 'other';
    expectTypeOf(claims.tenant).toEqualTypeOf<string>();
  });
});

class TenantClaims {
  tenant!: string;
  level?: number;
}
abstract class AbstractClaims {
  tenant!: string;
}
class NeedsArguments {
  constructor(readonly tenant: string) {}
}
interface ClaimsInterface {
  tenant: string;
}

describe('@RequireJwt with more options', () => {
  it('compiles', () => {
    class Accepted {
      @RequireJwt({ optional: true })
      optional(@Claims() _claims?: VerifiedClaims<ClaimsInterface>): void {}

      @RequireJwt({ admin: true, claims: TenantClaims })
      admin(@Claims() _claims: VerifiedClaims<TenantClaims>): void {}

      @RequireJwt({ propagateClaims: { 'realm.id': 'x-realm', sub: 'x-user' }, claims: undefined })
      propagates(): void {}
    }
    expectTypeOf(Accepted).toBeConstructibleWith();
    expectTypeOf<VerifiedClaims<TenantClaims>['tenant']>().toEqualTypeOf<string>();
    expectTypeOf<VerifiedClaims<TenantClaims>['level']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<VerifiedClaims<ClaimsInterface>['tenant']>().toEqualTypeOf<string>();
    expectTypeOf<VerifiedClaims<ClaimsInterface>['exp']>().toEqualTypeOf<number>();
  });

  it('does not compile with values that would mean nothing', () => {
    // @ts-expect-error -- true or false
    void RequireJwt({ optional: 'yes' });
    // @ts-expect-error -- the roles stand in the module's options
    void RequireJwt({ admin: ['root'] });
    // @ts-expect-error -- an option of the module, not of a route
    void RequireJwt({ adminRoles: ['root'] });
    // @ts-expect-error -- an option of the module, not of a route
    void RequireJwt({ publicUrl: 'https://gateway.example' });
    // @ts-expect-error -- claim and header, not pairs in text
    void RequireJwt({ propagateClaims: ['sub:x-user'] });
    // @ts-expect-error -- a header is a name
    void RequireJwt({ propagateClaims: { sub: true } });
    // @ts-expect-error -- a class, not an instance
    void RequireJwt({ claims: new TenantClaims() });
    // @ts-expect-error -- a class with rules, not a description
    void RequireJwt({ claims: { tenant: 'string' } });
    // @ts-expect-error -- nothing that could be made
    void RequireJwt({ claims: AbstractClaims });
    // @ts-expect-error -- claims are filled in, not passed to a constructor
    void RequireJwt({ claims: NeedsArguments });
    // @ts-expect-error -- an interface is no value
    void RequireJwt({ claims: ClaimsInterface });
    const claims = {} as VerifiedClaims<TenantClaims>;
    // @ts-expect-error -- verified is verified
    claims.level = 7;
    // @ts-expect-error -- a string
    expectTypeOf(claims.tenant).toEqualTypeOf<number>();
  });
});
