import type { IncomingMessage } from 'node:http';
import {
  assertGrantType,
  assertScopes,
  assertTargets,
  basicHeader,
  presentedClient,
  usesBasic,
  type ClientAuthentication,
} from '../../clients/index.js';
import type { Client } from '../../core/clients/index.js';
import { mediaType, parseJsonExactly } from '../../core/json/index.js';
import { TokenRefusedError } from '../../core/errors/index.js';
import { addBackendHeaders, requestContext, withholdHeaders } from '../../http/index.js';
import { ProofRefusedException } from './proof-refused.exception.js';
import { listParameter, requireParameter, type TokenParameters } from './token-request.js';

/** A request of a registered client, which may ask for what it asks for. */
export interface ClientRequest {
  readonly client: Client;
  readonly grantType: string;
  /** Scopes that it asks for; empty where it leaves that open. */
  readonly scopes: readonly string[];
  /** Values of `resource` and `audience`. */
  readonly targets: readonly string[];
}

/** Parameters with which a client authenticates; they end at the gateway where clients are registered. */
const CREDENTIALS = ['client_secret', 'client_assertion', 'client_assertion_type'] as const;

/**
 * Authenticates the client of a token request whose DPoP proof was used, and holds it to its registration.
 *
 * @throws ClientRefusedException; TooManyRequestsException; ProofRefusedException (400 `invalid_dpop_proof`) without
 * the proof that the client needs; TokenRequestException without `grant_type`
 */
export async function clientRequest(
  clients: ClientAuthentication,
  request: IncomingMessage,
  parameters: TokenParameters,
): Promise<ClientRequest> {
  const client = await clients.authenticate(request, parameters);
  assertProof(client, requestContext(request).provenKey);
  const grantType = requireParameter('grant_type', parameters);
  assertGrantType(client, grantType);
  const scopes = listParameter('scope', parameters).flatMap((text) =>
    text.split(' ').filter(Boolean),
  );
  assertScopes(client, scopes);
  const targets = [
    ...listParameter('resource', parameters),
    ...listParameter('audience', parameters),
  ];
  assertTargets(client, targets);
  return { client, grantType, scopes, targets };
}

function assertProof({ id, needsProof, proofKey }: Client, provenKey: string | undefined): void {
  if (!needsProof || (provenKey !== undefined && provenKey === (proofKey ?? provenKey))) return;
  throw new ProofRefusedException(
    provenKey === undefined
      ? new TokenRefusedError(
          'dpop_proof_missing',
          `client '${id}' is registered with '${proofKey === undefined ? 'dpop_bound_access_tokens' : 'dpop_jkt'}'`,
        )
      : new TokenRefusedError(
          'dpop_key_mismatch',
          `client '${id}' is registered with the key ${proofKey} ('dpop_jkt'), the proof is by ${provenKey}`,
        ),
  );
}

/** The body of a login without the credentials of its client; the same bytes where it holds none. */
export function withoutCredentials(
  contentType: string | undefined,
  body: Buffer | undefined,
  { members }: TokenParameters,
): Buffer | undefined {
  if (body === undefined || !CREDENTIALS.some((name) => Object.hasOwn(members, name))) return body;
  const others = (entries: Iterable<readonly [string, unknown]>): [string, unknown][] =>
    [...entries]
      .filter(([name]) => !CREDENTIALS.includes(name as (typeof CREDENTIALS)[number]))
      .map(([name, value]) => [name, value]);
  const text = body.toString();
  return Buffer.from(
    mediaType(contentType) === 'application/json'
      ? JSON.stringify(Object.fromEntries(others(Object.entries(parseJsonExactly(text) as object))))
      : new URLSearchParams(
          others(new URLSearchParams(`?${text}`)) as [string, string][],
        ).toString(),
  );
}

/**
 * Where no clients are registered, the login decides who the client is: it gets `Authorization: Basic`. A
 * token in that header is nothing for it.
 */
export function passOnBasic(request: IncomingMessage): void {
  const { authorization } = request.headers;
  if (authorization === undefined) return;
  if (usesBasic(request)) addBackendHeaders(request, { authorization });
  else if (/^(?:bearer|dpop)\b/i.test(authorization)) withholdHeaders(request, ['authorization']);
}

/**
 * The same for a refresh, whose body does not reach the login: credentials in it become HTTP Basic.
 *
 * @returns the id that the client gives itself
 * @throws ClientRefusedException `client_ambiguous`
 */
export function passOnCredentials(
  request: IncomingMessage,
  parameters: TokenParameters,
): string | undefined {
  const { id, method, proof } = presentedClient(request, parameters);
  // A secret without a name as well: it is for whoever decides to refuse it.
  if (method === 'client_secret_post')
    addBackendHeaders(request, { authorization: basicHeader(id ?? '', proof) });
  return id;
}
