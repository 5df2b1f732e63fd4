import { renameSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { hostGateway, type HostedGateway } from './helpers/gateway/host.js';
import { tokenOf, verdict } from './helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { postForm } from './helpers/sessions/sessions.js';

describe.each(['10000', '0'])('VALIDATOR_SIGNATURE_CACHE=%s', (VALIDATOR_SIGNATURE_CACHE) => {
  let gateway: HostedGateway;
  let path: string;
  let key: Awaited<ReturnType<typeof generateJwk>>;

  beforeAll(async () => {
    key = await generateJwk('ES256', 'e1');
    path = writeKeys([key]);
    gateway = await hostGateway({
      SIGNER_ALG: 'ES256',
      SIGNER_KID: 'e1',
      SIGNER_JWK_LOCAL_PATH: path,
      VALIDATOR_SIGNATURE_CACHE,
    });
  });

  /** The same token, again and again. */
  const seen = async (token: string): Promise<string[]> => {
    const all: string[] = [];
    for (let i = 0; i < 3; i++) all.push(await verdict(gateway.url, token));
    return all;
  };

  it('changes nothing in what is accepted', async () => {
    const token = await tokenOf(key, { jti: 'a' });
    expect(await seen(token)).toEqual(['200', '200', '200']);
    const [header, payload, signature = ''] = token.split('.');
    const forged = `${header}.${payload}.${signature.slice(0, -4)}AAAA`;
    expect(await seen(forged)).toEqual(Array(3).fill('401 signature_invalid'));
    expect(await seen(await tokenOf(key, { roles: [] }))).toEqual(
      Array(3).fill('403 roles_missing'),
    );
  });

  it('looks at expiry and revocation every time', async () => {
    const expiring = await tokenOf(key);
    expect(await verdict(gateway.url, expiring)).toBe('200');
    const revoked = await tokenOf(key, { jti: 'revoked' });
    expect(await seen(revoked)).toEqual(['200', '200', '200']);
    await postForm(`${gateway.url}/token/revoke`, { token: revoked });
    expect(await seen(revoked)).toEqual(Array(3).fill('401 token_revoked'));
    await gateway.advanceClock(3602);
    expect(await verdict(gateway.url, expiring)).toBe('401 token_expired');
    await gateway.advanceClock(-3602);
  });

  it('forgets everything with the key', async () => {
    const token = await tokenOf(key, { jti: 'b' });
    expect(await seen(token)).toEqual(['200', '200', '200']);
    const other = await generateJwk('ES256', 'e1');
    writeFileSync(`${path}.new`, JSON.stringify({ keys: [other] }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    await expect.poll(() => verdict(gateway.url, token)).toBe('401 signature_invalid');
    expect(await seen(await tokenOf(other))).toEqual(['200', '200', '200']);
  });
});
