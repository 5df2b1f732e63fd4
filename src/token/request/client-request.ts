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

/** A request of a registered client, within the limits of its registration. */
export interface ClientRequest {
  readonly client: Client;
  readonly grantType: string;
  /** Requested scopes; empty if the request names none. */
  readonly scopes: readonly string[];
  /** Values of the parameters `resource` and `audience`. */
  readonly targets: readonly string[];
}

/** Parameters with which a client authenticates. They are not forwarded where clients are registered. */
const CREDENTIALS = ['client_secret', 'client_assertion', 'client_assertion_type'] as const;

/**
 * Authenticates the client of a token request, and checks the request against its registration. The DPoP proof of the
 * request, if any, has to be checked before.
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

/** The body of a login without the credentials of its client; the same bytes if it contains none. */
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
 * Without registered clients, the login service authenticates the client: it gets `Authorization: Basic`. A token in
 * that header is not forwarded.
 */
export function passOnBasic(request: IncomingMessage): void {
  const { authorization } = request.headers;
  if (authorization === undefined) return;
  if (usesBasic(request)) addBackendHeaders(request, { authorization });
  else if (/^(?:bearer|dpop)\b/i.test(authorization)) withholdHeaders(request, ['authorization']);
}

/**
 * Forwards the client's credentials of a refresh without registered clients. The body does not reach the login service,
 * so credentials in it become HTTP Basic.
 *
 * @returns the client id in the request, not authenticated
 * @throws ClientRefusedException `client_ambiguous`
 */
export function passOnCredentials(
  request: IncomingMessage,
  parameters: TokenParameters,
): string | undefined {
  const { id, method, proof } = presentedClient(request, parameters);
  // A secret without a client id is forwarded as well, so that the login service refuses it.
  if (method === 'client_secret_post')
    addBackendHeaders(request, { authorization: basicHeader(id ?? '', proof) });
  return id;
}
