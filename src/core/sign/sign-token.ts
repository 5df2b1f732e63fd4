import {
  flattenedForm,
  MAX_TOKEN_LENGTH,
  signatureLength,
  signInput,
  type JwsAlgorithm,
  type JwsKey,
} from '../jws/index.js';
import type { ClaimSet } from './sign-fields.js';
import { SigningError } from './signing.error.js';

/** How a token is signed and encoded. */
export interface TokenFormat {
  alg: JwsAlgorithm;
  /** Key id or thumbprint of the signing key, or `auto`: the one active key for `alg`. */
  kid: string;
  /** `typ` header. */
  typ: string;
  /** True: flattened JWS JSON as a string instead of the compact form. */
  full: boolean;
  /** Longest compact form, in characters. Validators refuse longer tokens, so none is signed. Default 16384. */
  maxLength?: number;
}

/** Encoded headers by key, algorithm and type. Tokens that agree in these have the same header. */
const headers = new WeakMap<JwsKey, Map<string, string>>();

/**
 * Signs a claim set as it is (RFC 7515 sections 3.1 and 7.2.2).
 *
 * @param key must fit `format.alg`
 * @returns the compact JWS, or flattened JWS JSON with `format.full`; a promise if another thread signs
 * @throws SigningError `token_too_large`
 */
export function signToken(
  claims: ClaimSet,
  key: JwsKey,
  format: TokenFormat,
): string | Promise<string> {
  const header = encodedHeader(key, format);
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const input = `${header}.${payload}`;
  assertLength(input.length + 1 + signatureLength(format.alg, key), format);
  const finish = (signature: string): string =>
    format.full ? flattenedForm(header, payload, signature) : `${input}.${signature}`;
  const signature = signInput(format.alg, key, input);
  return typeof signature === 'string' ? finish(signature) : signature.then(finish);
}

function assertLength(length: number, { maxLength = MAX_TOKEN_LENGTH }: TokenFormat): void {
  if (length > maxLength)
    throw new SigningError(
      'token_too_large',
      `the token would have ${length} characters; at most ${maxLength} are signed. Give it fewer claims, or raise the option maxTokenLength of SigningModule`,
    );
}

function encodedHeader(key: JwsKey, { alg, typ }: TokenFormat): string {
  let byFormat = headers.get(key);
  if (byFormat === undefined) headers.set(key, (byFormat = new Map()));
  const format = `${alg} ${typ}`;
  let header = byFormat.get(format);
  if (header === undefined) {
    header = Buffer.from(JSON.stringify({ alg, kid: key.kid, typ })).toString('base64url');
    byFormat.set(format, header);
  }
  return header;
}
