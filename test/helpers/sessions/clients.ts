import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import { basicHeader } from '../../../src/clients/index.js';
import { clientSecretHash, type ClientRegistration } from '../../../src/core/clients/index.js';
import { tempFolder } from '../run/resources.js';

/** What a request sends to say who its client is. */
export interface Credentials {
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

/** A registration with a secret. */
export const withSecret = (
  secret: string,
  registration: Omit<ClientRegistration, 'client_secret_sha256'>,
): ClientRegistration => ({ ...registration, client_secret_sha256: clientSecretHash(secret) });

/** The text of a file of clients. */
export const clientsText = (clients: readonly unknown[]): string => JSON.stringify({ clients });

/** Writes a file of clients into a fresh folder. */
export function writeClients(clients: readonly unknown[], mode = 0o600): string {
  const path = join(tempFolder('clients'), 'clients.json');
  writeFileSync(path, clientsText(clients), { mode });
  return path;
}

export const byBasic = (id: string, secret: string): Credentials => ({
  headers: { authorization: basicHeader(id, secret) },
});
export const byPost = (id: string, secret: string): Credentials => ({
  form: { client_id: id, client_secret: secret },
});
export const byName = (id: string): Credentials => ({ form: { client_id: id } });

/** The form of an assertion (RFC 7523 section 2.2). */
export const byAssertion = (assertion: string): Credentials => ({
  form: {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  },
});

/** Signs an assertion with a private JWK. */
export async function signAssertion(
  key: JWK,
  claims: JWTPayload,
  header: Record<string, unknown> = {},
): Promise<string> {
  const { alg = 'ES256', kid } = key;
  return new SignJWT(claims)
    .setProtectedHeader({ alg, kid, ...header })
    .sign(await importJWK(key, alg));
}
