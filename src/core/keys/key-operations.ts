import { KeyError, quote } from './key.error.js';

/**
 * What a JWK allows by `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3).
 *
 * @throws KeyError when it is not for signatures, or the two members are malformed
 */
export function assertKeyOperations(
  jwk: Record<string, unknown>,
  kid: string,
): { sign: boolean; verify: boolean } {
  const { use, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig')
    throw new KeyError(`kid '${kid}' is for use ${quote(use)}, not for signatures ('sig')`);
  if (operations === undefined) return { sign: true, verify: true };
  if (!Array.isArray(operations) || new Set(operations).size !== operations.length)
    throw new KeyError(`kid '${kid}': key_ops is not a list of unique values`);
  const allowed = { sign: operations.includes('sign'), verify: operations.includes('verify') };
  if (!allowed.sign && !allowed.verify)
    throw new KeyError(`kid '${kid}': key_ops allows neither 'sign' nor 'verify'`);
  return allowed;
}
