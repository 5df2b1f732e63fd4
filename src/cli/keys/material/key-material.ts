import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CommandError } from '../../command.error.js';

/** A key as a JWK without kid and alg, and what it was read as, for the operator. */
export interface KeyMaterial {
  readonly material: JsonWebKey;
  readonly description: string;
}

/** True for text that holds a PEM: such a text is never taken for a secret. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN ');

/** One block; `EC PARAMETERS` stand before a key and are part of it. */
const PEM_BLOCK = /-----BEGIN ((?!EC PARAMETERS)[A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/**
 * The blocks of a text as PEM wants them, however they were carried: on one line, indented, in quotes, or with
 * `\n` in place of line breaks.
 */
function pemBlocks(text: string): { label: string; pem: string }[] {
  return [...text.replaceAll(/\\r|\\n/g, '\n').matchAll(PEM_BLOCK)].map(
    ([, label = '', body = '']) => {
      const base64 = body.replaceAll(/[\s"',\\]/g, '');
      const lines = base64.replaceAll(/.{64}(?=.)/g, '$&\n');
      return { label, pem: `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n` };
    },
  );
}

/**
 * A private or public key in PEM: PKCS#8, PKCS#1, SEC1, SPKI, or the key of a certificate. Of a private key
 * and certificates it is the key, of several certificates the first.
 *
 * @throws CommandError naming what is wrong, never any of the contents
 */
export function parsePem(text: string): KeyMaterial {
  if (/ENCRYPTED/.test(text))
    throw new CommandError('the PEM is encrypted; first: openssl pkey -in … -out …');
  if (text.includes('-----BEGIN OPENSSH PRIVATE KEY-----'))
    throw new CommandError(
      'the PEM is in the format of OpenSSH; first, with a copy of it: ssh-keygen -p -N "" -m PKCS8 -f …',
    );
  const blocks = pemBlocks(text);
  const secret = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  if (secret.length > 1)
    throw new CommandError(`the PEM holds ${secret.length} private keys; give one at a time`);
  const isPrivate = secret.length === 1;
  const { pem } = secret[0] ?? blocks[0] ?? { pem: '' };
  let key: KeyObject;
  try {
    key = isPrivate ? createPrivateKey(pem) : createPublicKey(pem);
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

const ENCODINGS = ['hex', 'base64url', 'base64', 'text'] as const;
type Encoding = (typeof ENCODINGS)[number];

/** Decoders that accept one spelling only; padding may be left out. */
const DECODERS: Readonly<Record<Encoding, (text: string) => Buffer | undefined>> = {
  hex: (text) => exact(text.toLowerCase(), 'hex', text.toLowerCase()),
  base64url: (text) => exact(text, 'base64url', text.replace(/={0,2}$/, '')),
  base64: (text) => exact(text, 'base64', text.replace(/={0,2}$/, '').padEnd(padded(text), '=')),
  text: (text) => Buffer.from(text),
};

/**
 * An HMAC secret as it is written in configuration files.
 *
 * @param encoding default: the first of hex, base64url and base64 that it can be
 * @throws CommandError when it is not written that way
 */
export function parseSecret(contents: string, encoding: string | undefined): KeyMaterial {
  const named = ENCODINGS.find((name) => name === encoding);
  if (encoding !== undefined && named === undefined)
    throw new CommandError(`--encoding is one of ${ENCODINGS.join(', ')}`);
  // Editors and echo leave a line break that is not part of the secret.
  const text = contents.replace(/\r?\n$/, '');
  const candidates = named === undefined ? ENCODINGS.filter((name) => name !== 'text') : [named];
  for (const candidate of candidates) {
    // openssl writes long ones in several lines.
    const bytes = DECODERS[candidate](
      candidate === 'text' ? text : text.trim().replaceAll(/[ \t]*\r?\n[ \t]*/g, ''),
    );
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

function exact(text: string, encoding: BufferEncoding, canonical: string): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === canonical ? bytes : undefined;
}

const padded = (text: string): number => Math.ceil(text.replace(/={0,2}$/, '').length / 4) * 4;
