import type { JWK } from 'jose';
import { startJwksServer, type JwksServer } from './jwks-server.js';
import { publicHalf } from './keys.js';

/** An issuer with metadata and a JWK Set, both served in this process. */
export interface IssuerServer extends JwksServer {
  issuer: string;
  /** Publishes these keys from now on, and these metadata beside `issuer` and `jwks_uri`. */
  publish(keys: readonly object[], metadata?: object): void;
}

/** Starts an issuer that publishes the public halves of some keys, over TLS with a certificate. */
export async function startIssuerServer(
  keys: readonly JWK[] = [],
  tls?: { cert: string; key: string },
): Promise<IssuerServer> {
  const server = await startJwksServer([], tls);
  const issuer = new URL(server.url).origin;
  const publish: IssuerServer['publish'] = (published, metadata) => {
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: server.url, ...metadata },
      '/jwks': { keys: published },
    };
    server.serve(({ url = '' }, response) => {
      const document = documents[url];
      response
        .writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
        .end(JSON.stringify(document ?? {}));
    });
  };
  publish(keys.map(publicHalf));
  return { ...server, issuer, publish };
}
