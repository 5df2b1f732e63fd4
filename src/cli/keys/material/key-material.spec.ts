import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCertificate } from '../../../../test/helpers/network/certificate.js';
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

  const oneLine = pkcs8.trim().replaceAll('\n', ' ');
  it.each([
    ['with literal \\n', pkcs8.replaceAll('\n', String.raw`\n`)],
    ['with literal \\r\\n', pkcs8.replaceAll('\n', String.raw`\r\n`)],
    ['with CRLF', pkcs8.replaceAll('\n', '\r\n')],
    ['on one line', oneLine],
    ['on one line, without blanks', pkcs8.trim().replaceAll('\n', '')],
    ['indented', pkcs8.replaceAll(/^/gm, '    ')],
    ['in quotes', `"${pkcs8.replaceAll('\n', String.raw`\n`)}"`],
    ['as strings of a list', pkcs8.replaceAll(/^(.*)\n/gm, '  "$1\\n",\n')],
    ['as the value of a variable', `KEY='${oneLine}'\n`],
    ['behind a byte order mark', `\uFEFF${pkcs8}`],
    ['behind remarks', `subject=CN=x\n${pkcs8}`],
    [
      'behind curve parameters',
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pkcs8}`,
    ],
    ['beside its public key', `${spki}${pkcs8}`],
  ])('reads a private key %s', (_how, pem) => {
    expect(parsePem(pem).material).toEqual(createPrivateKey(pkcs8).export({ format: 'jwk' }));
  });

  it.each([
    [
      'two private keys',
      `${pkcs8}${pkcs8}`,
      /holds 2 keys of kind PRIVATE KEY; give one at a time/,
    ],
    ['two public keys', `${spki}${spki}`, /holds 2 keys of kind PUBLIC KEY; give one at a time/],
    [
      "OpenSSH's format",
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
      /ssh-keygen -p -N '' -m PKCS8 -f/,
    ],
    [
      'a passphrase',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
      /openssl pkey/,
    ],
  ])('says what to do about %s', (_what, pem, message) => {
    expect(() => parsePem(pem)).toThrow(message);
  });

  it('reads the first of a chain of certificates', () => {
    const [leaf, authority] = [createCertificate('leaf'), createCertificate('authority')];
    expect(parsePem(`${leaf.cert}${authority.cert}`).material).toEqual(
      createPublicKey(leaf.cert).export({ format: 'jwk' }),
    );
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

  it.each(['hex', 'base64url', 'base64'] as const)(
    'takes %s over several lines, or in quotes',
    (encoding) => {
      const text = bytes.toString(encoding);
      for (const written of [
        `${text.slice(0, 20)}\n${text.slice(20)}\n`,
        `${text.slice(0, 20)}\r\n  ${text.slice(20)}\r\n`,
        `"${text}"\n`,
        `'${text}'`,
      ])
        expect(parseSecret(written, undefined).material.k).toBe(bytes.toString('base64url'));
    },
  );

  it.each(['ssh-rsa AAAAB3NzaC1yc2E x@y', 'ssh-ed25519 AAAAC3Nz', 'ecdsa-sha2-nistp256 AAAAE2Vj'])(
    'takes no public key for a secret: %s',
    (text) => {
      for (const encoding of [undefined, 'text'])
        expect(() => parseSecret(text, encoding)).toThrow(/ssh-keygen -e -m PKCS8/);
    },
  );

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
