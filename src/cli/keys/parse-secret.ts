import { CommandError } from '../command.error.js';
import type { KeyMaterial } from './read-material.js';

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
    const bytes = DECODERS[candidate](candidate === 'text' ? text : text.trim());
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
