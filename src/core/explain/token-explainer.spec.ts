import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { JwtVerifier } from '../../auth/index.js';
import { compilePolicy, type TokenPolicy } from '../verify/index.js';
import { TokenRefusedError } from '../errors/index.js';
import { JwkKeyStore } from '../../jwks/index.js';
import type { Revocations } from '../../state/index.js';
import { createTestIssuer, type TestIssuer } from '../../testing/index.js';
import type { Explanation } from './explanation.js';
import { TokenExplainer } from './token-explainer.js';

const ISSUERS = {
  alg: 'HS256',
  kid: 'sim2',
  issuer: 'https://krakend.io',
  audience: 'http://api.example.com',
} as const;
const now = (): number => Math.floor(Date.now() / 1000);

let issuer: TestIssuer, second: TestIssuer, sameKid: TestIssuer, stranger: TestIssuer;
let store: JwkKeyStore, verifier: JwtVerifier, policy: TokenPolicy;
const revoked = new Set<unknown>();
const revocations = {
  isRevoked: ({ claims }: { claims: { jti?: unknown } }) => revoked.has(claims.jti),
  noteExpiry: () => undefined,
} as unknown as Revocations;

beforeAll(async () => {
  issuer = createTestIssuer(ISSUERS);
  second = createTestIssuer({ ...ISSUERS, kid: 'other' });
  sameKid = createTestIssuer(ISSUERS);
  stranger = createTestIssuer({ ...ISSUERS, kid: 'strange' });
  const text = JSON.stringify({ keys: [...issuer.jwks.keys, ...second.jwks.keys] });
  store = await JwkKeyStore.open({
    signing: {
      source: 'of the test',
      remote: false,
      publicOnly: false,
      read: async () => ({ text }),
      watch: () => () => undefined,
    },
  });
  verifier = new JwtVerifier(store, revocations);
  policy = compilePolicy(
    { roles: ['role_a'], requiredClaims: ['tenant'] },
    { ...issuer.authOptions },
  );
});

const good = { roles: ['role_a'], tenant: 'acme' };
const explain = (token: string): Promise<Explanation> =>
  new TokenExplainer(store, verifier, revocations).explain(token, policy);
/** Check, code and fix of everything that is refused. */
const refusals = async (token: string): Promise<[string, string | undefined, string][]> =>
  (await explain(token)).checks
    .filter(({ verdict }) => verdict === 'refused')
    .map(({ check, code, fix = '' }) => [check, code, fix]);
const unsigned = (header: object): string =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.AAAA`;

describe('an explanation', () => {
  it('of an accepted token passes every check', async () => {
    const { accepted, code, checks } = await explain(await issuer.sign(good));
    expect([accepted, code]).toEqual([true, undefined]);
    expect(checks.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual(
      [
        'format', 'algorithm', 'key', 'signature', 'typ', 'payload', 'claim types', 'exp', 'nbf', 'iat',
        'iss', 'aud', 'token kind', 'required claims', 'revocation', 'roles', 'scopes',
      ].map((check) => `${check} passed`),
    ); // prettier-ignore
  });

  it('goes on after a check that failed', async () => {
    const token = await sameKid.sign({ iss: 'i', aud: 'a', exp: now() - 180, roles: [] });
    expect((await refusals(token)).map(([check]) => check)).toEqual([
      'signature', 'exp', 'iss', 'aud', 'required claims', 'roles',
    ]); // prettier-ignore
  });

  it.each<[string, () => Promise<string>, string, string, RegExp]>([
    ['a key nobody has', () => stranger.sign(good), 'key', 'key_not_found', /does not have; it has: sim2, other \(of the test\)/],
    ['the same kid, another secret', () => sameKid.sign(good), 'signature', 'signature_invalid', /another key that has the same kid/],
    ['a key under the wrong name', () => second.sign(good, { kid: 'sim2' }), 'signature', 'signature_invalid', /the key 'other' made the signature/],
    ['a key without its name', () => second.sign(good, { kid: undefined }), 'key', 'key_not_found', /the key 'other' made the signature/],
    ['a refresh token', () => issuer.sign(good, { typ: 'rt+jwt' }), 'typ', 'type_not_allowed', /this is a refresh token; send the access token/],
    ['expired 3 min ago', () => issuer.sign({ ...good, exp: now() - 180 }), 'exp', 'token_expired', /compare the clocks/],
    ['expired a day ago', () => issuer.sign({ ...good, exp: now() - 86_400 }), 'exp', 'token_expired', /^get a new token$/],
    ['from the future', () => issuer.sign({ ...good, iat: now() + 60 }), 'iat', 'token_not_yet_valid', /clocks/],
    ['another audience', () => issuer.sign({ ...good, aud: 'x' }), 'aud', 'audience_mismatch', /option audience/],
    ['another issuer', () => issuer.sign({ ...good, iss: 'https://krakend.io/' }), 'iss', 'issuer_mismatch', /character by character/],
    ['no role', () => issuer.sign({ tenant: 'acme' }), 'roles', 'roles_missing', /rolesKey/],
    ['alg none', async () => unsigned({ alg: 'None' }), 'algorithm', 'algorithm_not_allowed', /never accepted/],
    ['Bearer', async () => `Bearer ${await issuer.sign(good)}`, 'format', 'token_malformed', /without "Bearer"/],
    ['a raw header, as KrakenD takes it', async () => `Authorization: ${await issuer.sign(good)}`, 'format', 'token_malformed', /as KrakenD takes it/],
    ['a line break', async () => `${await issuer.sign(good)}\n`, 'format', 'token_malformed', /blanks, line breaks or quotes/],
    ['padding', async () => (await issuer.sign(good)).replace(/$/, '='), 'format', 'token_malformed', /base64 padding/],
    ['JWE', async () => 'eyJhbGciOiJkaXIifQ..a.b.c', 'format', 'token_malformed', /encrypted token \(JWE\)/],
    ['JWS JSON', async () => '{"payload":"e30"}', 'format', 'token_malformed', /JWS JSON/],
    ['no signature', async () => 'eyJhbGciOiJub25lIn0.e30.', 'algorithm', 'algorithm_not_allowed', /not signed/],
    ['an opaque token', async () => 'c0ffee', 'format', 'token_malformed', /opaque/],
  ])('of %s says so, and what to do', async (_name, make, check, code, fix) => {
    const token = await make();
    expect(await refusals(token)).toContainEqual([check, code, expect.stringMatching(fix)]);
    expect(await explain(token)).toMatchObject({ accepted: false, code });
  }); // prettier-ignore

  it('of a revoked token says so, and not where revocations cannot be seen', async () => {
    const token = await issuer.sign({ ...good, jti: 'stolen' });
    revoked.add('stolen');
    expect(await refusals(token)).toEqual([
      ['revocation', 'token_revoked', expect.stringContaining('log in again')],
    ]);
    const blind = new TokenExplainer(store, new JwtVerifier(store), undefined);
    const { accepted, checks } = await blind.explain(token, policy);
    expect(accepted).toBe(true);
    expect(checks).toContainEqual(
      expect.objectContaining({ check: 'revocation', verdict: 'not checked' }),
    );
  });

  it('of a login that is not enough says which one is (RFC 9470)', async () => {
    const stepUp = compilePolicy({ acr: ['urn:mfa'], maxAge: 60 }, { ...issuer.authOptions });
    const explained = async (claims: Record<string, unknown>): Promise<Explanation> =>
      new TokenExplainer(store, verifier, revocations).explain(await issuer.sign(claims), stepUp);
    const old = await explained({ acr: 'urn:mfa', auth_time: 1 });
    expect(old).toMatchObject({ accepted: false, code: 'insufficient_user_authentication' });
    expect(old.checks.find(({ check }) => check === 'login')).toMatchObject({
      verdict: 'refused',
      reason: expect.stringContaining(
        'within the last 60 s; auth_time of the token is 1',
      ) as string,
      fix: expect.stringContaining('max_age') as string,
    });
    const weak = (await explained({})).checks.find(({ check }) => check === 'login');
    expect(weak?.reason).toBe('needs a login with one of: urn:mfa; acr of the token is (none)');
    expect((await explained({ acr: 'urn:mfa', auth_time: now() })).accepted).toBe(true);
  });

  it('of a bound token says what it has to come with', async () => {
    const jkt = 'k'.repeat(43);
    const bindingOf = async (claims: object, dpop: boolean | 'required') => {
      const token = await issuer.sign({ ...good, ...claims });
      const route = compilePolicy({ dpop }, issuer.authOptions);
      const { accepted, code, checks } = await new TokenExplainer(
        store,
        new JwtVerifier(store, revocations),
        revocations,
      ).explain(token, route);
      const binding = checks.find(({ check }) => check === 'binding');
      expect(binding?.code).toBe(code);
      return { accepted, ...binding };
    };
    expect(await bindingOf({ cnf: { jkt } }, true)).toMatchObject({
      accepted: false,
      verdict: 'refused',
      code: 'dpop_proof_missing',
      reason: expect.stringContaining(`bound to the key ${jkt}`) as string,
      fix: expect.stringContaining('Authorization: DPoP <token>') as string,
    });
    expect(await bindingOf({ cnf: { jkt } }, false)).toMatchObject({
      code: 'dpop_disabled',
      fix: expect.stringContaining('option dpop') as string,
    });
    expect(await bindingOf({}, 'required')).toMatchObject({ code: 'dpop_token_unbound' });
    expect(await bindingOf({ cnf: { 'x5t#S256': jkt } }, true)).toMatchObject({
      code: 'claim_invalid',
      reason: expect.stringContaining(`client certificate ${jkt}`) as string,
      fix: expect.stringContaining('mtlsHeader') as string,
    });
    expect(await bindingOf({ cnf: { kid: 'x' } }, true)).toMatchObject({
      code: 'claim_invalid',
      reason: expect.stringContaining('not understood') as string,
    });
    expect(await bindingOf({}, true)).toEqual({ accepted: true });
  });

  it('agrees with the verifier about every token, and never holds one or a key', async () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(undefined, null, '', 'x', 0, -1, 1e308, [], {}, ['role_a'], true),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const time = fc.oneof(
      value,
      fc.integer({ min: -120, max: 120 }).map((s) => now() + s),
    );
    const optional = { requiredKeys: [] };
    const sometimes = <T extends object>(arbitrary: fc.Arbitrary<T>) =>
      fc.oneof(fc.constant<Partial<T>>({}), arbitrary);
    const claims = fc.record(
      { iss: value, aud: value, exp: time, nbf: time, iat: time, roles: value, tenant: value, jti: fc.constantFrom('stolen', 'a'), cnf: fc.oneof(value, fc.constant({ jkt: 'k'.repeat(43) })) },
      optional,
    ); // prettier-ignore
    const header = fc.record(
      {
        alg: fc.constantFrom<unknown>('none', 'HS512', 'RS256', 7),
        kid: fc.constantFrom<unknown>('other', 'sim2', undefined, 'x', 1),
        typ: fc.constantFrom<unknown>(
          'rt+jwt',
          'AT+JWT',
          'application/at+jwt',
          undefined,
          'a/b/jwt',
        ),
        crit: fc.constant([]),
      },
      optional,
    );
    const change = fc.oneof(
      { weight: 4, arbitrary: fc.constant((token: string) => token) },
      fc.integer({ min: 0, max: 300 }).map((at) => (token: string) =>
        `${token.slice(0, at)}A${token.slice(at + 1)}`),
      fc.constantFrom(' ', '=', '.', 'Bearer ').map((text) => (token: string) => text + token),
    ); // prettier-ignore
    const signers = fc.constantFrom('issuer', 'issuer', 'issuer', 'second', 'sameKid', 'stranger');
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        signers,
        sometimes(claims),
        sometimes(header),
        change,
        async (name, set, members, alter) => {
          const by = { issuer, second, sameKid, stranger }[name] ?? issuer;
          const token = alter(await by.sign({ ...good, ...set }, members));
          const explanation = await explain(token);
          const verdict = await verifier.verify(token, policy).then(
            () => undefined,
            (error: unknown) => (error instanceof TokenRefusedError ? error.code : 'crash'),
          );
          const first = explanation.checks.find((check) => check.verdict === 'refused');
          expect([explanation.accepted, explanation.code, first?.code]).toEqual([
            verdict === undefined,
            verdict,
            verdict,
          ]);
          if (explanation.accepted) accepted++;
          const text = JSON.stringify(explanation);
          const parts = token.split('.').filter(({ length }) => length > 12);
          expect(parts.filter((part) => text.includes(part))).toEqual([]);
          for (const { k } of issuer.jwks.keys) expect(text).not.toContain(k);
        },
      ),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(50);
  }, 60_000);
});
