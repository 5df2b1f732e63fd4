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

  const [begin = '', ...lines] = pkcs8.trimEnd().split('\n');
  it.each([
    ['with \\n in place of line breaks', pkcs8.replaceAll('\n', '\\n')],
    ['with \\r\\n in place of line breaks', pkcs8.replaceAll('\n', '\\r\\n')],
    ['on one line', pkcs8.replaceAll('\n', ' ')],
    ['on one line without blanks', pkcs8.replaceAll('\n', '')],
    ['indented, as in YAML', `key: |\n  ${pkcs8.replaceAll('\n', '\n  ')}`],
    ['in quotes, as in .env', `KEY="${pkcs8.replaceAll('\n', '\\n')}"`],
    ['each line in quotes', [begin, ...lines].map((line) => `  "${line}\\n",`).join('\n')],
    ['with the line ends of Windows', pkcs8.replaceAll('\n', '\r\n')],
    ['behind a byte order mark', `\uFEFF${pkcs8}`],
    ['behind the public key', spki + pkcs8],
    ['as openssl ecparam writes it', `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${privateKey.export({ format: 'pem', type: 'sec1' }).toString()}`],
  ])('reads it %s', (_how, pem) => {
    expect(isPem(pem)).toBe(true);
    expect(parsePem(pem).material).toEqual(privateKey.export({ format: 'jwk' }));
  }); // prettier-ignore

  it('takes the first of several certificates or public keys, and one private key at a time', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const second = other.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(parsePem(spki + second).material).toEqual(publicKey.export({ format: 'jwk' }));
    const both = pkcs8 + other.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(() => parsePem(both)).toThrow(/^the PEM holds 2 private keys; give one at a time$/);
  });

  it('says what to do about a key of OpenSSH', () => {
    const openSsh = pkcs8.replaceAll('PRIVATE KEY', 'OPENSSH PRIVATE KEY');
    expect(() => parsePem(openSsh)).toThrow(/format of OpenSSH; first, .*ssh-keygen -p .*-m PKCS8/);
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

  it.each(['hex', 'base64url', 'base64'] as const)('%s may be in several lines', (encoding) => {
    const long = randomBytes(96);
    const text = long.toString(encoding).replaceAll(/.{64}/g, '$&\n');
    for (const written of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\n  ')])
      expect(parseSecret(written, undefined).material.k).toBe(long.toString('base64url'));
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
