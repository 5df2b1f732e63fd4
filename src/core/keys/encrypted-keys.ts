import { KeyError } from './key.error.js';

/** Iterations that OWASP recommends for PBKDF2 with HMAC-SHA-512. */
const ITERATIONS = 210_000;
/** Most iterations that an encrypted file may demand, so that the boot ends in bounded time. */
const MAX_ITERATIONS = 2_000_000;
const ALG = 'PBES2-HS512+A256KW';
const ENC = 'A256GCM';
const CONTENT_TYPE = 'jwk-set+json';

/** True for a compact JWE, the content of an encrypted key file. */
export const isEncrypted = (text: string): boolean => /^\s*eyJ[\w-]+(?:\.[\w-]+){4}\s*$/.test(text);

/**
 * Decrypts an encrypted key set (RFC 7517 section 7).
 *
 * @returns the JSON of the set
 * @throws KeyError for a wrong passphrase or a file that was changed, which cannot be told apart
 */
export async function decryptKeys(
  text: string,
  passphrase: string,
  source: string,
): Promise<string> {
  // Loaded on demand: jose consists of 46 modules, and few files are encrypted.
  const { compactDecrypt } = await import('jose');
  try {
    const { plaintext } = await compactDecrypt(text.trim(), Buffer.from(passphrase), {
      keyManagementAlgorithms: [ALG],
      contentEncryptionAlgorithms: [ENC],
      maxPBES2Count: MAX_ITERATIONS,
    });
    return Buffer.from(plaintext).toString();
  } catch {
    throw new KeyError(
      `${source}: cannot be decrypted; the passphrase is wrong or the file damaged`,
    );
  }
}

/** Encrypts the JSON of a key set (RFC 7517 section 7, RFC 7518 section 4.8) with a passphrase. */
export async function encryptKeys(text: string, passphrase: string): Promise<string> {
  const { CompactEncrypt } = await import('jose');
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ alg: ALG, enc: ENC, cty: CONTENT_TYPE })
    .setKeyManagementParameters({ p2c: ITERATIONS })
    .encrypt(Buffer.from(passphrase));
}
