import { isAsymmetric, JWS_ALGORITHMS, type JwsAlgorithm } from '../jws/index.js';
import type { KeySet } from '../keys/index.js';

/** How clients authenticate (RFC 7591 section 2, RFC 7523 section 2.2); `none`: a public client. */
export const CLIENT_AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const;
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** Algorithms of `private_key_jwt` assertions. HMAC is not one of them: the server knows no secret of the client. */
export const ASSERTION_ALGORITHMS: readonly JwsAlgorithm[] = JWS_ALGORITHMS.filter(isAsymmetric);

/** The registration of a client, with members of RFC 7591 section 2 and our own. */
export interface ClientRegistration {
  /** 1 to 256 printable ASCII characters without blanks. */
  client_id: string;
  /** Default `client_secret_basic`. */
  token_endpoint_auth_method?: ClientAuthMethod;
  /** SHA-256 of the secret in base64url, for `client_secret_basic` and `client_secret_post`. */
  client_secret_sha256?: string;
  /** Public keys for `private_key_jwt`. */
  jwks?: { readonly keys: readonly object[] };
  /** URL of the public keys for `private_key_jwt`, in place of `jwks`. */
  jwks_uri?: string;
  /** Values of `grant_type` that the client may send; empty for a client that only introspects or revokes. */
  grant_types: readonly string[];
  /** Scopes that the client may get, separated by blanks. Default: the login decides. */
  scope?: string;
  /** Recipients of the client's tokens: the `aud`, and the values that `resource` and `audience` may request. */
  audience?: string | readonly string[];
  /** Claims of `client_credentials` tokens. If set, the login backend is not called for that grant. */
  claims?: Readonly<Record<string, unknown>>;
  /** True: token requests need a DPoP proof, which binds the tokens (RFC 9449 section 5.2). Default false. */
  dpop_bound_access_tokens?: boolean;
  /** Requires DPoP proofs by this key: its SHA-256 thumbprint (RFC 7638) in base64url. Default: none. */
  dpop_jkt?: string;
}

/** A checked registration, in the form that requests are compared with. */
export interface Client {
  readonly id: string;
  readonly method: ClientAuthMethod;
  /** SHA-256 of the secret. */
  readonly secretHash?: Buffer;
  readonly jwks?: KeySet;
  readonly jwksUri?: string;
  readonly grantTypes: ReadonlySet<string>;
  /** `undefined`: the login decides. */
  readonly scopes?: readonly string[];
  readonly audience: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  /** True if token requests need a DPoP proof. */
  readonly needsProof: boolean;
  /** Thumbprint of the only key that proofs may be made with; `undefined`: any key. */
  readonly proofKey?: string;
}

/** True for a client that can keep a secret and therefore has to authenticate (RFC 6749 section 2.1). */
export const isConfidential = ({ method }: Pick<Client, 'method'>): boolean => method !== 'none';
