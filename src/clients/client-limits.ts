import type { Client } from '../core/clients/index.js';
import { ClientRefusedException } from './client-refused.exception.js';

/** @throws ClientRefusedException `grant_not_allowed` (RFC 6749 section 5.2) */
export function assertGrantType(client: Client, grantType: string): void {
  if (!client.grantTypes.has(grantType))
    throw new ClientRefusedException(
      'grant_not_allowed',
      `'grant_types' of client '${client.id}' does not hold what the request asks for`,
    );
}

/**
 * @param requested scopes of the request; empty where it asks for none
 * @throws ClientRefusedException `scope_not_granted` for one that the client is not registered for
 */
export function assertScopes({ id, scopes }: Client, requested: readonly string[]): void {
  if (scopes !== undefined && !requested.every((name) => scopes.includes(name)))
    throw new ClientRefusedException(
      'scope_not_granted',
      `'scope' of client '${id}' does not hold all that the request asks for`,
    );
}

/**
 * @param requested values of `resource` (RFC 8707) and `audience` (RFC 8693) of the request
 * @throws ClientRefusedException `target_unknown` for one that the client is not registered for
 */
export function assertTargets({ id, audience }: Client, requested: readonly string[]): void {
  if (audience.length > 0 && !requested.every((name) => audience.includes(name)))
    throw new ClientRefusedException(
      'target_unknown',
      `'audience' of client '${id}' does not hold all that the request asks for`,
    );
}
