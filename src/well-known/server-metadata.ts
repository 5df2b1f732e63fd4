/** What the metadata depends on; only what is switched on is listed. */
export interface ServerMetadataOptions {
  /** `iss` of the tokens. */
  issuer: string;
  /** Refresh is on. */
  refresh: boolean;
  /** `POST /token/introspect` exists. */
  introspection: boolean;
  /** Clients may authenticate with HTTP Basic: the backend gets to see the header. */
  basicAuth: boolean;
  /** `/docs` exists. */
  docs: boolean;
  /** Algorithms of DPoP proofs at the token endpoint (RFC 9449 section 5.1). Left out: it takes none. */
  dpopAlgorithms?: readonly string[];
}

/**
 * Authorization server metadata (RFC 8414 section 2). The backend decides who may use which grant
 * with which credentials; listed is what the gateway passes on.
 *
 * @param base public URL of the gateway, without a slash at its end
 */
export function serverMetadata(base: string, options: ServerMetadataOptions): object {
  const { issuer, refresh, introspection, basicAuth, docs, dpopAlgorithms } = options;
  return {
    issuer,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    // There is no authorization endpoint (RFC 6749 section 3.1).
    response_types_supported: [],
    grant_types_supported: [
      'password',
      'client_credentials',
      ...(refresh ? ['refresh_token'] : []),
    ],
    token_endpoint_auth_methods_supported: [
      'none',
      'client_secret_post',
      ...(basicAuth ? ['client_secret_basic'] : []),
    ],
    revocation_endpoint: `${base}/token/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    ...(introspection
      ? {
          introspection_endpoint: `${base}/token/introspect`,
          introspection_endpoint_auth_methods_supported: ['Bearer'],
        }
      : {}),
    ...(dpopAlgorithms === undefined ? {} : { dpop_signing_alg_values_supported: dpopAlgorithms }),
    ...(docs ? { service_documentation: `${base}/docs` } : {}),
  };
}
