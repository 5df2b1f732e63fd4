import { KeyError } from './key.error.js';

/** OWASP's figure for PBKDF2 with HMAC-SHA-512. */
const ITERATIONS = 210_000;
/** A file may ask for more work, but not for an endless boot. */
const MAX_ITERATIONS = 2_000_000;
const ALG = 'PBES2-HS512+A256KW';
const ENC = 'A256GCM';
const CONTENT_TYPE = 'jwk-set+json';

/** True for a compact JWE, which is what an encrypted key file holds. */
export const isEncrypted = (text: string): boolean => /^\s*eyJ[\w-]+(?:\.[\w-]+){4}\s*$/.test(text);

/**
 * Opens an encrypted key set (RFC 7517 section 7).
 *
 * @returns its JSON
 * @throws KeyError for a wrong passphrase and for a file that was changed, which look alike
 */
export async function decryptKeys(
  text: string,
  passphrase: string,
  source: string,
): Promise<string> {
  // Loaded on demand: jose is 46 modules, and few files are encrypted.
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
