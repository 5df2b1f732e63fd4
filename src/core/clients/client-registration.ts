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

/** Algorithms of the assertions of `private_key_jwt`: the server knows no secret of the client. */
export const ASSERTION_ALGORITHMS: readonly JwsAlgorithm[] = JWS_ALGORITHMS.filter(isAsymmetric);

/** A client as it is registered: members of RFC 7591 section 2, and ours. */
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
  /** What the client may send as `grant_type`; empty for one that only introspects or revokes. */
  grant_types: readonly string[];
  /** Scopes that the client may get, with blanks between. Left out: the login decides. */
  scope?: string;
  /** Whom its tokens may be for: `aud`, and what `resource` and `audience` may ask for. */
  audience?: string | readonly string[];
  /** Claims of the tokens of `client_credentials`. With it, no login is asked for that grant. */
  claims?: Readonly<Record<string, unknown>>;
  /** Its token requests need a DPoP proof, which binds the tokens (RFC 9449 section 5.2). Default `false`. */
  dpop_bound_access_tokens?: boolean;
  /** The same, and the proofs have to be by this key: its SHA-256 thumbprint (RFC 7638) in base64url. */
  dpop_jkt?: string;
}

/** A registration that was checked, in the form that requests are compared with. */
export interface Client {
  readonly id: string;
  readonly method: ClientAuthMethod;
  /** SHA-256. */
  readonly secretHash?: Buffer;
  readonly jwks?: KeySet;
  readonly jwksUri?: string;
  readonly grantTypes: ReadonlySet<string>;
  /** `undefined`: the login decides. */
  readonly scopes?: readonly string[];
  readonly audience: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  /** There are no tokens without a DPoP proof. */
  readonly needsProof: boolean;
  /** Thumbprint of the key of the proofs; `undefined`: any key. */
  readonly proofKey?: string;
}

/** True for a client that can keep a secret, and so has to show it (RFC 6749 section 2.1). */
export const isConfidential = ({ method }: Pick<Client, 'method'>): boolean => method !== 'none';
