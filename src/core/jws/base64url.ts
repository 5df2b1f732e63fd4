/**
 * Strict base64url (RFC 7515 section 2): no padding, no white space, no characters of other
 * alphabets, no stray bits at the end. Each byte sequence has exactly one accepted spelling.
 *
 * @returns the bytes, or `undefined` when `text` is not that spelling
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
