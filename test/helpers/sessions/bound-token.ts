import { startBackend } from '../backends/backend.js';
import { createDpopClient } from './dpop.js';
import { call } from '../network/http.js';
import { tokenOf } from '../issuers/issuer.js';
import { generateJwk, writeKeys } from '../issuers/keys.js';
import { verdictOf } from './sessions.js';

/** A client, a token that is bound to its key, and a backend and an environment for gateways that let it in. */
export async function createBoundToken() {
  const jwk = await generateJwk('ES256', 'k1');
  const client = await createDpopClient();
  const bound = await tokenOf(jwk, {
    cnf: client.cnf,
    jti: 'bound',
    sid: 's1',
    roles: ['role_a'],
  });
  const backend = await startBackend();
  await backend.answer('/user/1.json', { body: { id: 1 } });
  const env: Record<string, string> = {
    BACKEND_HOST: backend.url,
    SIGNER_ALG: 'ES256',
    SIGNER_KID: 'k1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
    LOG_LEVEL: 'info',
  };
  return { jwk, client, bound, backend, env };
}

/** What a gateway says to a request of its protected route. */
export const ask = async (url: string, headers: Record<string, string>): Promise<string> =>
  verdictOf(await call(`${url}/private/custom`, { headers }));
