import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { parseJsonExactly } from '../../core/json/index.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Derives the key from the refresh token, so that only its holder can open the answer. */
const keyOf = (refreshToken: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', refreshToken, '', 'signet refresh replay', 32));

/** Encrypts an answer (AES-256-GCM), so that the state store holds no usable tokens. */
export function sealAnswer(refreshToken: string, answer: object): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(refreshToken), iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
}

/** @returns `undefined` if it was not sealed with this token, or was changed since */
export function openAnswer(
  refreshToken: string,
  sealed: string,
): Record<string, unknown> | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      keyOf(refreshToken),
      bytes.subarray(0, IV_BYTES),
      { authTagLength: TAG_BYTES },
    );
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const text = Buffer.concat([
      decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)),
      decipher.final(),
    ]);
    return parseJsonExactly(text.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
