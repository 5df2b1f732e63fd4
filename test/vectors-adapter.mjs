// Adapter for ../shared/vectors/run-vectors.mjs: the gateway's own format, key and signature checks
// from dist/, with nothing of the claim checks above them.
//   npm run --silent build && node ../shared/vectors/run-vectors.mjs --adapter test/vectors-adapter.mjs
import { importJwk } from '../dist/core/keys/import-jwk.js';
import { KeySet } from '../dist/core/keys/key-set.js';
import { keyMisfit, parseCompact, verifySignature } from '../dist/core/jws/index.js';

async function verify(jws, alg, findKey) {
  const { header, payload, signature, signingInput } = parseCompact(jws);
  if (header.alg !== alg) throw new Error('the header names another alg than the key is for');
  const key = findKey(header.kid);
  if (key === undefined) throw new Error('no key with the kid of the header');
  const misfit = keyMisfit(key, alg);
  if (misfit !== undefined) throw new Error(misfit);
  if (!(await verifySignature(alg, key, signingInput, signature)))
    throw new Error('signature_invalid');
  return payload;
}

/** One key and the algorithm it is pinned to; the key is given, so that its kid does not select it. */
export async function verifyJws({ jws, jwk, alg }) {
  const imported = importJwk({ ...jwk, kid: jwk.kid ?? 'unnamed' });
  if (typeof imported === 'string') throw new Error(imported);
  return verify(jws, alg, () => imported.key);
}

/** A key set as a key file would hold it: taken as a whole or not at all, keys found by kid. */
export async function loadKeys({ jwks, alg }) {
  const set = KeySet.parse(JSON.stringify(jwks), 'vectors');
  return (jws) => verify(jws, alg, (kid) => (kid === undefined ? undefined : set.get(kid)));
}
