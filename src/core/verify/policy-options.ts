import type { JwsAlgorithm } from '../jws/index.js';
import type { KeySource, KeySourceOptions, KeyUrlOptions } from '../keys/index.js';
import type { ClaimHeaderFormat, ClaimHeaderList, ClaimHeaders } from './claim-headers.js';

/* What routes and modules require of tokens: the options, and the compiled policy that the checks use. */

/** `any`: one of the listed values is enough. `all`: each of them is required. */
export type Matcher = 'any' | 'all';

/** The profile of `at+jwt` tokens. `rfc9068`: all claims of that profile are required. */
export type TokenProfile = 'none' | 'rfc9068';

/** A token introspection endpoint (RFC 7662), and the client that calls it. */
export interface IntrospectionOptions {
  /** URL of the endpoint: https, or http where the option `remote` allows it. */
  url: string;
  /** Client id. Default: none, for endpoints that are protected in another way. */
  clientId?: string;
  /** Secret of `clientId`. */
  clientSecret?: string;
  /** How the client authenticates (RFC 6749 section 2.3.1). Default `client_secret_basic`. */
  authMethod?: 'client_secret_basic' | 'client_secret_post';
  /**
   * JSON file with the client, in place of the three options above: `client_id`, `client_secret` and, optionally,
   * `token_endpoint_auth_method`. It is reloaded when it changes.
   */
  clientFile?: string;
  /**
   * Seconds for which an answer is cached, at most until its `exp`; the answer that a token is not active, at most 5
   * seconds. A token may be accepted for so long after its issuer revoked it. 0: no cache. Default 30.
   */
  cacheTtl?: number;
  /** Milliseconds from the request to the last byte of the answer. Default 2000. */
  timeoutMs?: number;
  /** Options of the connection. Default: the option `remote` of `JwksModule`. */
  remote?: Pick<
    KeyUrlOptions,
    'allowHttp' | 'httpHosts' | 'fingerprints' | 'fingerprintsMatch' | 'ca' | 'proxy'
  >;
}

/** What a token has to fulfil. `@RequireJwt` can override each member for a route. */
export interface TokenPolicyOptions extends ClaimHeaderFormat {
  /** Accepted algorithms (RFC 7518 section 3.1). */
  algorithms: readonly JwsAlgorithm[];
  /**
   * Accepted values of `iss`, compared exactly (RFC 8725 section 3.8). Their keys are those of `JwksModule` or of the
   * route.
   */
  issuer: string | readonly string[];
  /** Several issuers, each with keys of its own, in place of `issuer`. */
  issuers?: readonly IssuerOptions[];
  /**
   * Names of this service; `aud` has to contain any or all of them (RFC 8725 section 3.9). `unchecked`: tokens for any
   * recipient are accepted, for issuers that set no `aud`.
   */
  audience: string | readonly string[];
  /** Claim with the recipients, e.g. `client_id`; dots reach nested claims. Default `aud`. */
  audienceClaim?: string;
  /** How many of `audience` are required. Default `any`. */
  audienceMatcher?: Matcher;
  /** Claim with the roles. Default `roles`. */
  rolesKey?: string;
  /** True: dots in `rolesKey` reach nested claims. Default false. */
  rolesKeyIsNested?: boolean;
  /** How many of `roles` are required. Default `any`. */
  rolesMatcher?: Matcher;
  /** Claim with the scopes; dots reach nested claims. Default `scope`. */
  scopesKey?: string;
  /** How many of `scopes` are required. Default `any`. */
  scopesMatcher?: Matcher;
  /** Required claims beside `exp`. Default: none. */
  requiredClaims?: readonly string[];
  /**
   * `rfc9068`: `at+jwt` tokens need all claims of the profile (RFC 9068 section 2.2). `none`: they need not. Tokens of
   * an issuer with `own` always need them. Default: `none` with `issuers`, `jwkUrl` or `jwkLocalPath`, else `rfc9068`.
   */
  profile?: TokenProfile;
  /** Characters of the longest token that is accepted. Default 16384. */
  maxTokenLength?: number;
  /** Accepted values of the header `typ`, in any case. A missing `typ` counts as `JWT`. Default `JWT`, `at+jwt`. */
  types?: readonly string[];
  /**
   * True: the flattened JWS JSON form is accepted, too, as `SigningModule` makes it with its option `full`:
   * `{"payload":"…","protected":"…","signature":"…"}` without blanks, in a header. Default false.
   */
  full?: boolean;
  /**
   * True: ID tokens are accepted, too, for issuers whose clients have no access tokens for an API. Refresh tokens never
   * are. The kind of a token is recognized by its claims `typ`, `token_use`, `token_type` and `type`. An ID token
   * without them is refused by `audience` only. Default false.
   */
  idTokens?: boolean;
  /** Cookie that may carry the token. Default: cookies are never read. */
  cookieKey?: string;
  /** Header that carries the token. Default `Authorization`. */
  authHeaderName?: string;
  /** Clock difference in seconds that is accepted for `exp`, `nbf` and `iat`, at most 3600. Default 1. */
  leeway?: number;
  /**
   * Claims that are sent as headers of each backend call with `from: request`, e.g.
   * `{ sub: ['x-user', 'x-sub'], 'realm.id': 'x-realm' }`. Dots reach nested claims, objects are sent as JSON, a
   * missing claim gives no header; see `propagateEncoding` and `propagateLists`. Headers of these names from the client
   * are never forwarded, on any route. A route replaces the option of the module. Default: none.
   */
  propagateClaims?: ClaimHeaders;
  /**
   * Tokens that are bound to a key of the client (DPoP, RFC 9449). True: they are accepted with a proof of that key,
   * and other tokens as bearer tokens. `required`: only tokens with a proof are accepted. False: bound tokens are
   * refused. A bound token is never accepted without its proof. Needs `StateModule`, which remembers used proofs.
   * Default: true with `StateModule`.
   */
  dpop?: boolean | 'required';
  /** Algorithms of DPoP proofs. Default: all asymmetric ones; of ML-DSA the shortest. */
  dpopAlgorithms?: readonly JwsAlgorithm[];
  /** Seconds by which `iat` of a DPoP proof may differ from now in either direction, plus `leeway`. Default 60. */
  dpopWindow?: number;
  /**
   * Introspection endpoint (RFC 7662) for tokens that are no JWS. The claims of its answer are checked like those of a
   * JWT; `iss`, if there is one, has to be a listed issuer other than our own, not one of `issuerResolver`. A route
   * with issuers or keys of its own does not inherit this option. With `tokens: 'all'` JWTs of other issuers are
   * introspected, too, after their signature was verified; see `IssuerOptions.introspection`. Default: tokens that are
   * no JWS are refused.
   */
  introspection?: IntrospectionOptions & { tokens?: 'opaque' | 'all' };
}

/** One of several issuers whose tokens are accepted, with the options for its tokens. */
export interface IssuerOptions {
  /** Value of `iss`, compared exactly (RFC 8725 section 3.8). */
  issuer: string;
  /** Accepted `aud`. Default: that of the route. */
  audience?: string | readonly string[];
  /** Default: that of the route. */
  audienceMatcher?: Matcher;
  /** Default: that of the route. */
  audienceClaim?: string;
  /** Default: that of the route. */
  profile?: TokenProfile;
  /** Default: that of the route. */
  idTokens?: boolean;
  /** Accepted algorithms. Default: with `own` those of the route, else all asymmetric ones. */
  algorithms?: readonly JwsAlgorithm[];
  /** URL of its JWK Set. Default: the `jwks_uri` of its metadata. */
  jwksUri?: string;
  /** Path of a file with its JWK Set, in place of `jwksUri`. */
  jwkLocalPath?: string;
  /** Any source of its keys, in place of `jwksUri` and `jwkLocalPath`. */
  keys?: KeySource;
  /** How its keys and metadata are fetched. Default: the option `remote` of `JwksModule`. */
  remote?: KeySourceOptions;
  /** True for our own tokens: their default keys are those of `JwksModule`, names in revocations have no issuer. */
  own?: boolean;
  /**
   * Introspection endpoint (RFC 7662) for its JWTs, called after their signature was verified: for tokens with few
   * claims, or tokens that may be revoked before their `exp`. Claims of the answer are added to those of the token, or
   * replace them. Default: its JWTs are not introspected.
   */
  introspection?: IntrospectionOptions;
}

/**
 * Finds the policy for tokens of an issuer that is not listed.
 *
 * @param iss claim of a token that is not verified yet
 * @param compile compiles the policy of a route for an issuer
 * @returns `undefined` for an unknown issuer
 * @throws an error with a `code` while the answer is not known
 */
export type IssuerFinder = (
  iss: string,
  compile: (issuer: IssuerOptions) => TokenPolicy,
) => Promise<TokenPolicy | undefined>;

/** The defaults of all routes. */
export interface PolicyDefaults extends TokenPolicyOptions {
  /** Roles for routes with `@RequireJwt({ admin: true })`: a token needs one of them. */
  adminRoles?: readonly string[];
}

/**
 * The signed token that a backend call carries in `Txn-Token` (draft-ietf-oauth-transaction-tokens). It is for that
 * backend only, and has `iss`, `aud`, `iat`, `exp`, `txn`, the `sub` of the verified token, and the claims chosen here.
 * It never expires after the verified token. A call without a user has no `sub`.
 */
export interface HopOptions {
  /** Claim `aud`. Default: the origin of the backend; of several hosts that of the first. */
  audience?: string;
  /** Names of claims that are copied; dots reach nested claims. Default: none. */
  claims?: readonly string[];
  /** Scopes that are copied if the verified token has them. Default: those that the route requires. */
  scopes?: readonly string[];
  /** Lifetime in seconds, from 2 to 3600. Default 30. */
  ttl?: number;
}

/** What a route requires of a token. The defaults are those of the module. */
export interface RoutePolicyOptions extends Partial<TokenPolicyOptions> {
  /** Required roles: any of them, or all, see `rolesMatcher`. Default: none. */
  roles?: readonly string[];
  /** Required scopes: any of them, or all, see `scopesMatcher`. Default: none. */
  scopes?: readonly string[];
  /**
   * URL of the only JWK Set whose keys verify tokens of this route: a key of another set is never used, whatever its
   * `kid`. Set `issuer`, `audience` and `algorithms`, too.
   */
  jwkUrl?: string;
  /** Like `jwkUrl`, for a file. The path is relative to the working directory. */
  jwkLocalPath?: string;
  /**
   * How `jwkUrl` is fetched, and how tokens name a key of the set (also for `jwkLocalPath`). Default: the option
   * `remote` of `JwksModule`.
   */
  remote?: KeySourceOptions;
  /**
   * True: a request without a token passes, too, and `@Claims()` is `undefined`. A refused token still gives 401. It
   * cannot be combined with roles, scopes, `acr` or `maxAge`: a client could avoid them by sending no token. Default
   * false.
   */
  optional?: boolean;
  /**
   * Accepted values of `acr`: how the user has to have logged in, e.g. with a second factor (RFC 9470). Default: any.
   */
  acr?: readonly string[];
  /**
   * Seconds since the login (`auth_time`), plus `leeway` (RFC 9470). A token without `auth_time` is refused. Default:
   * no limit.
   */
  maxAge?: number;
  /** True: the token needs one of `adminRoles` of `AuthModule`, in place of `roles`. Default false. */
  admin?: boolean;
  /**
   * Options: backend calls with `from: request` carry a signed token for that backend. This needs `SigningModule`.
   * True: the route accepts only such a token, in the header `Txn-Token`; `audience` is the name of this service.
   * Default: neither.
   */
  hop?: true | HopOptions;
}

/** A check of claims that a route adds. @throws TokenRefusedError `claim_invalid` */
export type ClaimsCheck = (claims: Readonly<Record<string, unknown>>) => Promise<void>;

/** {@link TokenPolicyOptions} with all defaults, in the form that the checks use. */
export interface TokenPolicy {
  readonly algorithms: ReadonlySet<JwsAlgorithm>;
  readonly issuers: ReadonlySet<string>;
  /**
   * The policy for tokens of each issuer, chosen by `iss`. `undefined` where one policy is for all issuers.
   */
  readonly perIssuer: ReadonlyMap<string, TokenPolicy> | undefined;
  /** The policy for tokens of an issuer that is not listed; `undefined` where they are refused. */
  readonly unlistedIssuer: ((iss: string) => Promise<TokenPolicy | undefined>) | undefined;
  /** The issuers other than our own. Names in revocations of their tokens contain the issuer. */
  readonly foreignIssuers: ReadonlySet<string>;
  readonly audiences: readonly string[];
  readonly audienceClaim: string;
  /** Tokens for other recipients are accepted, too, e.g. to revoke them. */
  readonly anyAudience: boolean;
  /** `exp`, `nbf` and `iat` are not compared with the time, e.g. to revoke expired tokens. */
  readonly anyAge: boolean;
  /** Bound tokens are accepted without proof or certificate, e.g. to revoke them. */
  readonly anyHolder: boolean;
  readonly audienceMatcher: Matcher;
  readonly roles: readonly string[];
  readonly rolesKey: string;
  readonly rolesKeyIsNested: boolean;
  readonly rolesMatcher: Matcher;
  readonly scopes: readonly string[];
  readonly scopesKey: string;
  readonly scopesMatcher: Matcher;
  readonly requiredClaims: readonly string[];
  /** Accepted values of `acr`; empty: any. */
  readonly acr: readonly string[];
  /** Seconds; `undefined`: no limit. */
  readonly maxAge: number | undefined;
  /** `at+jwt` tokens need the claims of RFC 9068. */
  readonly profiled: boolean;
  readonly maxTokenLength: number;
  /** Lower case, without `application/`. */
  readonly types: ReadonlySet<string>;
  /** Flattened JWS JSON is accepted, too. */
  readonly full: boolean;
  /** Accepted kinds of tokens, by their claims; `any`: not checked, e.g. for refresh tokens. */
  readonly kinds: 'access' | 'access or ID' | 'any';
  readonly cookieKey: string | undefined;
  /** Lower case. */
  readonly authHeaderName: string;
  /** Seconds. */
  readonly leeway: number;
  /** The only keys that verify; `undefined`: those of `JwksModule`. */
  readonly keySource: KeySource | undefined;
  /** A request without a token passes. */
  readonly optional: boolean;
  /** Claims that are sent as headers of backend calls. */
  readonly claimHeaders: ClaimHeaderList;
  /** The check by the option `claims` of the route. */
  readonly checkClaimsClass: ClaimsCheck | undefined;
  /**
   * Tokens that are bound to a key: false: refused; true: accepted with a proof; `required`: no others are accepted.
   */
  readonly dpop: boolean | 'required';
  readonly dpopAlgorithms: ReadonlySet<JwsAlgorithm>;
  /** Seconds. */
  readonly dpopWindow: number;
  /** Introspection endpoint for tokens that are no JWS; `undefined`: they are refused. */
  readonly introspection: IntrospectionOptions | undefined;
  /** Introspection endpoint for JWTs whose signature was verified; `undefined`: none. */
  readonly jwtIntrospection: IntrospectionOptions | undefined;
  /** The token that backend calls carry; `undefined`: the call decides. */
  readonly hop: HopOptions | undefined;
  /** Headers with the token or its proof, in lower case. They are not forwarded to backends, nor is the cookie. */
  readonly credentialHeaders: readonly string[];
}
