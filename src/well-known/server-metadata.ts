import { ASSERTION_ALGORITHMS } from '../core/clients/index.js';
import type { OperationInfo } from '../routes/index.js';

/** Options of {@link serverMetadata}. */
export interface ServerMetadataOptions {
  /** Issuer, the claim `iss` of the tokens. Default: the option `issuer` of `SigningModule`. */
  issuer?: string;
  /**
   * `grant_types_supported`: the grants of the login service, and `refresh_token` where refresh is on. Default
   * `password`.
   */
  grants?: readonly string[];
  /** Methods of client authentication at the token endpoint. Default `none`. */
  authMethods?: readonly string[];
  /** Methods of client authentication at `POST /token/revoke`. Default `none`: the token is the credential. */
  revocation?: readonly string[];
  /**
   * Methods of client authentication at `POST /token/introspect`, and the types of access token that it accepts
   * (`Bearer`, `DPoP`). Default: none are announced.
   */
  introspection?: readonly string[];
  /** Announces `/docs` as `service_documentation`. Default false. */
  docs?: boolean;
  /** Algorithms of DPoP proofs at the token endpoint (RFC 9449 section 5.1). Default: DPoP is not announced. */
  dpopAlgorithms?: readonly string[];
}

/** An endpoint that the metadata announce. */
export type OAuthEndpoint = NonNullable<OperationInfo['endpoint']>;

/** What the metadata say about routes and keys. */
export interface ServerMetadataFacts {
  /** Issuer, the claim `iss` of the tokens. */
  issuer: string;
  /** Public URL of the gateway, without a slash at the end. */
  base: string;
  /** Paths of the endpoints that exist, by their name in `@Operation`. */
  endpoints: Readonly<Partial<Record<OAuthEndpoint, string>>>;
  /** Algorithms of the published keys. */
  algorithms: readonly string[];
  /** Scopes that routes require. */
  scopes: readonly string[];
  /** The gateway itself answers `client_credentials`. */
  grantsItself: boolean;
}

/**
 * Makes the authorization server metadata (RFC 8414 section 2), which are also those of OpenID Connect Discovery 1.0.
 * What the login service supports comes from the options. Members without elements are left out.
 */
export function serverMetadata(
  options: ServerMetadataOptions,
  { issuer, base, endpoints, algorithms, scopes, grantsItself }: ServerMetadataFacts,
): object {
  const { grants = ['password'], authMethods = ['none'], revocation = ['none'] } = options;
  const { introspection = [], docs = false, dpopAlgorithms } = options;
  const url = (name: OAuthEndpoint): string | undefined =>
    endpoints[name] === undefined ? undefined : base + endpoints[name];
  const own = grantsItself ? ['client_credentials'] : [];
  const metadata: Record<string, unknown> = {
    issuer,
    token_endpoint: url('token'),
    jwks_uri: url('jwks'),
    scopes_supported: scopes,
    // There is no authorization endpoint (RFC 6749 section 3.1).
    response_types_supported: [],
    ...(endpoints.token === undefined
      ? {}
      : {
          grant_types_supported: [...new Set([...grants, ...own])],
          ...authentication('token', authMethods),
          dpop_signing_alg_values_supported: dpopAlgorithms,
        }),
    revocation_endpoint: url('revocation'),
    ...(endpoints.revocation === undefined ? {} : authentication('revocation', revocation)),
    introspection_endpoint: url('introspection'),
    ...(endpoints.introspection === undefined
      ? {}
      : authentication('introspection', introspection)),
    service_documentation: docs ? `${base}/docs` : undefined,
    // A user has the same `sub` for all clients.
    subject_types_supported: ['public'],
    // No member announces the algorithms of access tokens, so services read this one (go-oidc, and Signet itself).
    id_token_signing_alg_values_supported: algorithms,
  };
  // RFC 8414 section 3.2: what has no elements is left out.
  return Object.fromEntries(
    Object.entries(metadata).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** The members about client authentication at an endpoint (RFC 8414 section 2). */
const authentication = (endpoint: string, methods: readonly string[]): Record<string, unknown> => ({
  [`${endpoint}_endpoint_auth_methods_supported`]: methods,
  [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: methods.includes('private_key_jwt')
    ? ASSERTION_ALGORITHMS
    : undefined,
});
