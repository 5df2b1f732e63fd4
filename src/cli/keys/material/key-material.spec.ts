import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isPem, parsePem, parseSecret } from './key-material.js';

describe('parsePem', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pkcs8 = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const spki = publicKey.export({ format: 'pem', type: 'spki' }).toString();

  it('reads a private and a public key', () => {
    expect([isPem(pkcs8), isPem(spki), isPem(randomBytes(40).toString('base64'))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(parsePem(pkcs8)).toEqual({
      material: createPrivateKey(pkcs8).export({ format: 'jwk' }),
      description: 'private ec key',
    });
    expect(parsePem(spki)).toMatchObject({
      material: { kty: 'EC', crv: 'P-256' },
      description: 'public ec key',
    });
    expect(parsePem(spki).material.d).toBeUndefined();
  });

  it.each([
    ['half of it', pkcs8.slice(0, 100)],
    ['another kind', pkcs8.replaceAll('PRIVATE KEY', 'CERTIFICATE REQUEST')],
  ])('quotes nothing of %s', (_what, pem) => {
    expect(() => parsePem(pem)).toThrow(/^the PEM cannot be read: damaged, or not a key$/);
  });
});

describe('parseSecret', () => {
  const bytes = Buffer.from('fbefbe'.repeat(11), 'hex');

  it.each(['hex', 'base64url', 'base64'] as const)('sees that a secret is %s', (encoding) => {
    const text = bytes.toString(encoding);
    for (const written of [text, `${text}\n`, `  ${text}\r\n`])
      expect(parseSecret(written, undefined)).toEqual({
        material: { kty: 'oct', k: bytes.toString('base64url') },
        description: `33 bytes in ${encoding}`,
      });
  });

  it('takes characters as they are when told to, but for the line break of an editor', () => {
    const { material } = parseSecret(' a secret of characters \n', 'text');
    expect(Buffer.from(material.k ?? '', 'base64url').toString()).toBe(' a secret of characters ');
  });

  it('upper-case hex and base64 without padding are spellings, too', () => {
    const short = bytes.subarray(0, 32);
    const k = short.toString('base64url');
    expect(parseSecret(short.toString('hex').toUpperCase(), undefined).material.k).toBe(k);
    expect(parseSecret(short.toString('base64').replace(/=+$/, ''), undefined).material.k).toBe(k);
  });

  it.each([
    ['', undefined],
    ['\n', 'text'],
    ['not encoded at all', undefined],
    [`${'A'.repeat(42)}B`, undefined],
    ['abc', 'hex'],
    ['-_-_', 'base64'],
    ['+/+/', 'base64url'],
  ])('refuses %j as %s without repeating it', (text, encoding) => {
    expect(() => parseSecret(text, encoding)).toThrow(/^the secret is empty or not /);
  });
});
