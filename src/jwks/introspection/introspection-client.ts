import { readTextFile, describeExposure, FileError } from '../../core/files/index.js';
import { hasDuplicateMembers, isJsonObject } from '../../core/json/index.js';
import { KeyError } from '../../core/keys/index.js';
import type { IntrospectionOptions } from '../../core/verify/index.js';

/** How a client authenticates at the introspection endpoint (RFC 6749 section 2.3.1). */
const AUTH_METHODS = ['client_secret_basic', 'client_secret_post'] as const;

/** The credentials with which the gateway asks about tokens. */
export interface IntrospectionClient {
  readonly id: string;
  readonly secret: string;
  readonly method: (typeof AUTH_METHODS)[number];
}

/** RFC 6749 appendix A.1: VSCHAR. */
const PRINTABLE = /^[ -~]+$/;
const MEMBERS = ['client_id', 'client_secret', 'token_endpoint_auth_method'];
const MAX_FILE_BYTES = 65_536;

/**
 * Returns the client of the options; `undefined` if they name none.
 *
 * @throws KeyError when the options of the client are incomplete or invalid, or `clientFile` is set as well
 */
export function clientOf(options: IntrospectionOptions): IntrospectionClient | undefined {
  const { clientId, clientSecret, authMethod, clientFile } = options;
  const given = [clientId, clientSecret, authMethod].filter((value) => value !== undefined);
  if (given.length > 0 && clientFile !== undefined)
    throw new KeyError("'clientFile' and a client are both set; choose one");
  if (given.length === 0) return undefined;
  return checkedClient(clientId, clientSecret, authMethod);
}

/**
 * Reads a client from a file, and refuses unknown or repeated members.
 *
 * @returns the client, the text of the file, and how other users can read or change it; `undefined` if they cannot
 * @throws KeyError whose message contains nothing of the file
 */
export async function readClientFile(
  path: string,
): Promise<{ client: IntrospectionClient; text: string; exposure: string | undefined }> {
  try {
    const { text, ...access } = await readTextFile(path, MAX_FILE_BYTES);
    return { client: parseClient(text), text, exposure: describeExposure(path, access) };
  } catch (error) {
    if (error instanceof FileError) throw new KeyError(error.message);
    throw error instanceof KeyError ? new KeyError(`${path}: ${error.message}`) : error;
  }
}

function parseClient(text: string): IntrospectionClient {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new KeyError('is not JSON');
  }
  if (!isJsonObject(file) || hasDuplicateMembers(text, file))
    throw new KeyError('is not a JSON object with unique members');
  if (Object.keys(file).some((name) => !MEMBERS.includes(name)))
    throw new KeyError(`has a member other than ${MEMBERS.join(', ')}`);
  return checkedClient(file.client_id, file.client_secret, file.token_endpoint_auth_method);
}

function checkedClient(
  id: unknown,
  secret: unknown,
  method: unknown = 'client_secret_basic',
): IntrospectionClient {
  if (!isPrintable(id))
    throw new KeyError('client_id is not a string of printable ASCII characters');
  if (!isPrintable(secret))
    throw new KeyError('client_secret is not a string of printable ASCII characters');
  const known = AUTH_METHODS.find((name) => name === method);
  if (known === undefined)
    throw new KeyError(`token_endpoint_auth_method is not one of ${AUTH_METHODS.join(', ')}`);
  return { id, secret, method: known };
}

const isPrintable = (value: unknown): value is string =>
  typeof value === 'string' && PRINTABLE.test(value);

/** Returns the header and the parameters by which a client authenticates; none without a client. */
export function authentication(client: IntrospectionClient | undefined): {
  headers: Readonly<Record<string, string>>;
  parameters: Readonly<Record<string, string>>;
} {
  if (client === undefined) return { headers: {}, parameters: {} };
  const { id, secret, method } = client;
  if (method === 'client_secret_post')
    return { headers: {}, parameters: { client_id: id, client_secret: secret } };
  const pair = Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64');
  return { headers: { authorization: `Basic ${pair}` }, parameters: {} };
}

const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
