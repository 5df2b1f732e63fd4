import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CommandError } from '../../command.error.js';

/** A key as a JWK without kid and alg, with a description of its format for the operator. */
export interface KeyMaterial {
  readonly material: JsonWebKey;
  readonly description: string;
}

/** True for text that contains PEM. Such text is never read as a secret. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN ');

/**
 * Reads a private or public key in PEM: PKCS#8, PKCS#1, SEC1, SPKI, or the key of a certificate. Line breaks may be
 * missing, or written as `\n` as in environment files. The text may be indented or in quotes.
 *
 * @throws CommandError that names the problem, but none of the contents
 */
export function parsePem(text: string): KeyMaterial {
  if (/ENCRYPTED/.test(text))
    throw new CommandError('the PEM is encrypted; first: openssl pkey -in … -out …');
  const block = keyBlock(pemBlocks(text));
  if (block?.label === 'OPENSSH PRIVATE KEY')
    throw new CommandError(
      "the key is in OpenSSH's own format; first, in a copy: ssh-keygen -p -N '' -m PKCS8 -f …",
    );
  let key: KeyObject;
  try {
    const pem = block?.pem ?? text;
    key = pem.includes('PRIVATE KEY-----') ? createPrivateKey(pem) : createPublicKey(pem);
  } catch {
    throw new CommandError('the PEM cannot be read: damaged, or not a key');
  }
  const type = key.asymmetricKeyType ?? 'unknown';
  try {
    return { material: key.export({ format: 'jwk' }), description: `${key.type} ${type} key` };
  } catch {
    throw new CommandError(`a key of type ${type} cannot be a JWK that signs`);
  }
}

interface PemBlock {
  readonly label: string;
  /** The block, normalized to the form of RFC 7468 section 3. */
  readonly pem: string;
}

/** Returns the blocks of a text, however its line breaks are written. */
const pemBlocks = (text: string): PemBlock[] =>
  [
    ...text
      .replaceAll(/\\r|\\n/g, '\n')
      .matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----/g),
  ].map(([, label = '', body = '']) => {
    const lines = body.replaceAll(/[\s"',\\]/g, '').match(/.{1,64}/g) ?? [];
    return {
      label,
      pem: [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n'),
    };
  });

/** Returns the block with the key: a private key, else a public key, else the first certificate of a chain. */
function keyBlock(blocks: readonly PemBlock[]): PemBlock | undefined {
  for (const kind of ['PRIVATE KEY', 'PUBLIC KEY']) {
    const [block, ...others] = blocks.filter(({ label }) => label.endsWith(kind));
    if (others.length > 0)
      throw new CommandError(
        `the PEM holds ${others.length + 1} keys of kind ${kind}; give one at a time`,
      );
    if (block !== undefined) return block;
  }
  return blocks.find(({ label }) => label.endsWith('CERTIFICATE'));
}

const ENCODINGS = ['hex', 'base64url', 'base64', 'text'] as const;
type Encoding = (typeof ENCODINGS)[number];

/** Decoders that accept only one encoding of the same bytes. Padding may be left out. */
const DECODERS: Readonly<Record<Encoding, (text: string) => Buffer | undefined>> = {
  hex: (text) => exact(text.toLowerCase(), 'hex', text.toLowerCase()),
  base64url: (text) => exact(text, 'base64url', text.replace(/={0,2}$/, '')),
  base64: (text) => exact(text, 'base64', text.replace(/={0,2}$/, '').padEnd(padded(text), '=')),
  text: (text) => Buffer.from(text),
};

/**
 * Reads an HMAC secret as it is written in configuration files.
 *
 * @param encoding Default: the first of hex, base64url and base64 that fits the text
 * @throws CommandError when the text does not have this encoding
 */
export function parseSecret(contents: string, encoding: string | undefined): KeyMaterial {
  const named = ENCODINGS.find((name) => name === encoding);
  if (encoding !== undefined && named === undefined)
    throw new CommandError(`--encoding is one of ${ENCODINGS.join(', ')}`);
  if (SSH_PUBLIC_KEY.test(contents))
    throw new CommandError(
      'this is a public key of OpenSSH, and no secret; first: ssh-keygen -e -m PKCS8 -f …',
    );
  // Editors and echo leave a line break that is not part of the secret.
  const text = contents.replace(/\r?\n$/, '');
  const candidates = named === undefined ? ENCODINGS.filter((name) => name !== 'text') : [named];
  for (const candidate of candidates) {
    const bytes = DECODERS[candidate](candidate === 'text' ? text : unfolded(text));
    if (bytes === undefined || bytes.length === 0) continue;
    return {
      material: { kty: 'oct', k: bytes.toString('base64url') },
      description: `${bytes.length} bytes in ${candidate}`,
    };
  }
  throw new CommandError(
    `the secret is empty or not ${candidates.join(' or ')}; --encoding text takes its characters as they are`,
  );
}

/** Removes the line breaks that OpenSSL writes, and the quotes of environment files. */
const unfolded = (text: string): string =>
  text
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .replaceAll(/\s*\r?\n\s*/g, '');

const SSH_PUBLIC_KEY = /^\s*(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-\S+) AAAA/;

function exact(text: string, encoding: BufferEncoding, canonical: string): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === canonical ? bytes : undefined;
}

const padded = (text: string): number => Math.ceil(text.replace(/={0,2}$/, '').length / 4) * 4;
