import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

/** A client with a key of its own, whose proofs are made by jose. */
export interface DpopClient {
  /** What a token for it holds: `{ cnf: { jkt } }`. */
  readonly cnf: { readonly jkt: string };
  readonly jwk: JWK;
  /**
   * A proof for a request (RFC 9449 section 4.2).
   *
   * @param changes claims in place of its own
   * @param header members of the header in place of its own
   */
  prove(
    token: string,
    url: string,
    method?: string,
    changes?: object,
    header?: object,
  ): Promise<string>;
  /** The headers of a request with a bound token. */
  headers(
    token: string,
    url: string,
    method?: string,
    changes?: object,
  ): Promise<{ authorization: string; dpop: string }>;
}

export async function createDpopClient(alg = 'ES256'): Promise<DpopClient> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  const prove: DpopClient['prove'] = (token, url, method = 'GET', changes = {}, header = {}) =>
    new SignJWT({
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(Date.now() / 1000),
      ath: createHash('sha256').update(token).digest('base64url'),
      ...changes,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk, ...header })
      .sign(privateKey);
  return {
    cnf: { jkt: await calculateJwkThumbprint(jwk) },
    jwk,
    prove,
    headers: async (token, ...request) => ({
      authorization: `DPoP ${token}`,
      dpop: await prove(token, ...request),
    }),
  };
}
