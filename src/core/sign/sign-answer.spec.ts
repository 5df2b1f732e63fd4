import { describe, expect, it } from 'vitest';
import { sessionName } from '../revocation/index.js';
import { signAnswer } from './sign-answer.js';
import type { ClaimSet } from './sign-fields.js';
import { compileSigningPolicy, type SigningOptions } from './signing-policy.js';

const NOW = 1_800_000_000;

/** The claims that are signed, by field. */
async function claimsOf(
  body: Record<string, unknown>,
  options: SigningOptions = {},
): Promise<Record<string, ClaimSet>> {
  const policy = compileSigningPolicy({}, { issuer: 'https://own', ...options });
  const answer = await signAnswer(body, policy, (claims) => JSON.stringify(claims), NOW);
  return Object.fromEntries(
    policy.fields
      .filter((field) => Object.hasOwn(answer, field))
      .map((field) => [field, JSON.parse(String(answer[field])) as ClaimSet]),
  );
}
const refusal = (explanation: RegExp) =>
  expect.objectContaining({
    name: 'SigningError',
    code: 'claims_invalid',
    explanation: expect.stringMatching(explanation) as string,
  }) as Error;

describe('the sid of an answer', () => {
  it.each([
    ['empty', { access_token: { sid: '' } }, /access_token\.sid is empty/],
    [
      'empty in one',
      { access_token: { sid: 's' }, refresh_token: { sid: '' } },
      /refresh_token\.sid is empty/,
    ],
    [
      'another one',
      { access_token: { sid: 's' }, refresh_token: { sid: 't' } },
      /refresh_token\.sid is not that of access_token/,
    ],
    ['no text', { access_token: { sid: 7 } }, /access_token\.sid is not a string/],
  ])('is refused where it is %s', async (_what, body, explanation) => {
    await expect(claimsOf(body)).rejects.toThrow(refusal(explanation));
  });

  it('is fine where it is one, or is there once', async () => {
    const both = { access_token: { sid: 's' }, refresh_token: { sid: 's' } };
    expect((await claimsOf(both)).refresh_token?.sid).toBe('s');
    expect((await claimsOf({ ...both, refresh_token: {} })).refresh_token?.sid).toBeUndefined();
  });
});

describe('the jti of an answer', () => {
  const sessions = async (body: Record<string, unknown>): Promise<unknown[]> =>
    Object.values(await claimsOf(body)).map((claims) => sessionName({ claims, signingInput: '' }));

  it('ties the tokens together', async () => {
    const [access, refresh] = await sessions({ access_token: {}, refresh_token: {} });
    expect(access).toBe(refresh);
    expect(access).toMatch(/^login /);
    expect(await sessions({ access_token: {}, refresh_token: {} })).not.toContain(access);
  });

  it('does not where the login service chose one of them: then user and time do', async () => {
    for (const field of ['access_token', 'refresh_token']) {
      const body = {
        access_token: { sub: 'u' },
        refresh_token: { sub: 'u' },
        [field]: { sub: 'u', jti: 'a' },
      };
      expect(await sessions(body)).toEqual([`login ${NOW} u`, `login ${NOW} u`]);
    }
  });
});

describe('the aud of refresh tokens', () => {
  const body = { access_token: { aud: 'https://api' }, refresh_token: { aud: 'https://api' } };
  it('is the issuer, whatever the login service sends', async () => {
    const { access_token: access, refresh_token: refresh } = await claimsOf(body);
    expect([access?.aud, refresh?.aud]).toEqual(['https://api', 'https://own']);
    expect((await claimsOf({ refresh_token: {} })).refresh_token?.aud).toBe('https://own');
    // Without a configured issuer, the `iss` of the claims becomes the audience.
    const other = { refresh_token: { iss: 'https://other', aud: 'a' } };
    expect((await claimsOf(other, { issuer: undefined })).refresh_token?.aud).toBe('https://other');
  });

  it('stays as it is with keep', async () => {
    const { refresh_token: refresh } = await claimsOf(body, { refreshAudience: 'keep' });
    expect(refresh?.aud).toBe('https://api');
  });
});

describe('an id_token beside access tokens of RFC 9068', () => {
  const policy = compileSigningPolicy(
    {},
    { issuer: 'https://own', typ: 'at+jwt', fields: ['access_token', 'id_token', 'of.id_token'] },
  );
  const claims = { sub: 'u', aud: 'a', client_id: 'c' };

  it('is of the type JWT, and needs none of their claims', async () => {
    const body = { access_token: claims, id_token: {}, of: { id_token: {} } };
    const types: string[] = [];
    await signAnswer(body, policy, (_claims, { typ }) => String(types.push(typ)), NOW);
    expect(types).toEqual(['at+jwt', 'JWT', 'JWT']);
  });

  it('says that it is none, where the login does not say what it is', async () => {
    const uses: unknown[] = [];
    const sign = ({ token_use: use }: ClaimSet): string => String(uses.push(use));
    await signAnswer({ access_token: claims, id_token: claims }, policy, sign, NOW);
    await signAnswer({ id_token: { ...claims, token_use: 'x' } }, policy, sign, NOW);
    expect(uses).toEqual([undefined, 'id', 'x']);
  });

  it('helps no access token that lacks them', async () => {
    const body = { access_token: {}, id_token: claims };
    await expect(signAnswer(body, policy, () => '', NOW)).rejects.toMatchObject({
      code: 'sign_target_invalid',
    });
  });
});
