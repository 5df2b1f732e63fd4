import type { JwsAlgorithm } from '../jws/index.js';
import type { KeySource, KeySourceOptions, KeyUrlOptions } from '../keys/index.js';
import type { ClaimHeaderFormat, ClaimHeaderList, ClaimHeaders } from './claim-headers.js';

/* What routes and modules ask of tokens, as it is written and in the form in which the checks use it. */

/** One of the listed values is enough, or all of them are needed. */
export type Matcher = 'any' | 'all';

/** The profile whose claims `at+jwt` tokens need. */
export type TokenProfile = 'none' | 'rfc9068';

/** An endpoint that is asked about tokens (RFC 7662), and how. */
export interface IntrospectionOptions {
  /** https, or http where the option `remote` allows it. */
  url: string;
  /** The client that asks. Default: none, for endpoints that are protected in another way. */
  clientId?: string;
  /** Goes with `clientId`. */
  clientSecret?: string;
  /** How the client authenticates (RFC 6749 section 2.3.1). Default `client_secret_basic`. */
  authMethod?: 'client_secret_basic' | 'client_secret_post';
  /**
   * JSON file with the client, in place of the three above: `client_id`, `client_secret` and, if need be,
   * `token_endpoint_auth_method`. It is followed like key files.
   */
  clientFile?: string;
  /**
   * Seconds for which an answer is remembered, though never beyond its `exp`; that a token is not active at
   * most for 5. So long a token counts after its issuer has revoked it. 0: every request is asked about.
   * Default 30.
   */
  cacheTtl?: number;
  /** Milliseconds from a call to the last byte of its answer. Default 2000. */
  timeoutMs?: number;
  /** How the endpoint is reached, as far as it differs from the option `remote` of `JwksModule`. */
  remote?: Pick<
    KeyUrlOptions,
    'allowHttp' | 'httpHosts' | 'fingerprints' | 'fingerprintsMatch' | 'ca' | 'proxy'
  >;
}

/** What a token has to fulfil; `@RequireJwt` overrides single members per route. */
export interface TokenPolicyOptions extends ClaimHeaderFormat {
  /** Accepted algorithms. */
  algorithms: readonly JwsAlgorithm[];
  /** Accepted issuers, compared exactly (RFC 8725 section 3.8). Their keys are the configured ones. */
  issuer: string | readonly string[];
  /** Several issuers, each with keys of its own; in place of `issuer`. */
  issuers?: readonly IssuerOptions[];
  /**
   * This recipient's names; the token's `aud` has to hold any or all of them (RFC 8725 section 3.9).
   * `unchecked`: tokens for whomever are taken, for issuers that name no recipient.
   */
  audience: string | readonly string[];
  /** Claim with the recipients, e.g. `client_id`; dots reach nested claims. Default `aud`. */
  audienceClaim?: string;
  /** Default `any`. */
  audienceMatcher?: Matcher;
  /** Claim with the roles. Default `roles`. */
  rolesKey?: string;
  /** True: dots in `rolesKey` reach nested claims. Default false. */
  rolesKeyIsNested?: boolean;
  /** Default `any`. */
  rolesMatcher?: Matcher;
  /** Claim with the scopes; dots reach nested claims. Default `scope`. */
  scopesKey?: string;
  /** Default `any`. */
  scopesMatcher?: Matcher;
  /** Claims that have to be there, beside `exp`. */
  requiredClaims?: readonly string[];
  /**
   * `rfc9068`: `at+jwt` tokens need all claims of the profile (RFC 9068 section 2.2); `none`: they need not.
   * Tokens of an issuer that is marked `own` always need them. Default: `none` for tokens of others (`issuers`,
   * `jwkUrl`, `jwkLocalPath`), else `rfc9068`.
   */
  profile?: TokenProfile;
  /** Characters of the longest token that is looked at. Default 16384. */
  maxTokenLength?: number;
  /** Accepted `typ` headers, case-insensitive; absent counts as `JWT`. Default `JWT`, `at+jwt`. */
  types?: readonly string[];
  /**
   * True: tokens count in the flattened JWS JSON form, too, as `SigningModule` makes them with its option `full`:
   * `{"payload":"…","protected":"…","signature":"…"}` without blanks, in a header. Default false.
   */
  full?: boolean;
  /**
   * True: ID tokens count, too, for issuers whose clients have nothing else for an API. Refresh tokens never do. What a
   * token is, its claims `typ`, `token_use`, `token_type` and `type` tell; an ID token that says nothing of the kind is
   * kept out by `audience` alone. Default false.
   */
  idTokens?: boolean;
  /** Cookie that may carry the token. Default: cookies are never read. */
  cookieKey?: string;
  /** Header that carries the token. Default `Authorization`. */
  authHeaderName?: string;
  /** Seconds of clock difference that are forgiven for `exp`, `nbf` and `iat`, at most 3600. Default 1. */
  leeway?: number;
  /**
   * Claims that become headers of every backend call made with `from: request`, e.g.
   * `{ sub: ['x-user', 'x-sub'], 'realm.id': 'x-realm' }`: dots reach nested claims, objects become JSON, an absent
   * claim gives no header; see `propagateEncoding` and `propagateLists`. The client's own headers of these names
   * never reach a backend, on any route. On a route it replaces what the module says.
   */
  propagateClaims?: ClaimHeaders;
  /**
   * Tokens that are bound to a key of their client (RFC 9449). True: they count with a proof of that key;
   * others are bearer tokens. `required`: only tokens with a proof count. False: bound tokens are refused. A
   * bound token never counts without its proof. Needs `StateModule`, which remembers what proofs were used.
   * Default true where there is `StateModule`.
   */
  dpop?: boolean | 'required';
  /** Algorithms of proofs. Default: all asymmetric ones, of ML-DSA the shortest. */
  dpopAlgorithms?: readonly JwsAlgorithm[];
  /** Seconds that the `iat` of a proof may differ from now, beside `leeway`, in both directions. Default 60. */
  dpopWindow?: number;
  /**
   * Where tokens are asked about that are no JWS (RFC 7662). What is answered goes through the checks of
   * claims; its `iss`, if there is one, has to be a listed issuer other than our own, not one of
   * `issuerResolver`. A route that names issuers or keys of its own does not take over what the module says here. With `tokens: 'all'` JWTs that
   * are not our own are asked about, too, once their signature is verified; see `IssuerOptions.introspection`.
   * Default: tokens that are no JWS are refused.
   */
  introspection?: IntrospectionOptions & { tokens?: 'opaque' | 'all' };
}

/** One of several issuers whose tokens a route takes, with what is different for its tokens. */
export interface IssuerOptions {
  /** Compared exactly with `iss` (RFC 8725 section 3.8). */
  issuer: string;
  /** Its tokens' recipients. Default: the route's `audience`. */
  audience?: string | readonly string[];
  /** Default: the route's. */
  audienceMatcher?: Matcher;
  /** Default: the route's. */
  audienceClaim?: string;
  /** Default: the route's. */
  profile?: TokenProfile;
  /** Default: the route's. */
  idTokens?: boolean;
  /** Default: the route's for our own tokens, for those of others all asymmetric ones. */
  algorithms?: readonly JwsAlgorithm[];
  /** URL of its JWK Set. Default: the one that its metadata name. */
  jwksUri?: string;
  /** Its JWK file, instead of a URL. */
  jwkLocalPath?: string;
  /** Its keys, from wherever they come. For programs; instead of the two above. */
  keys?: KeySource;
  /** How its keys and metadata are fetched. */
  remote?: KeySourceOptions;
  /** True for tokens that are signed here: keys of the signer, names in revocations without issuer. */
  own?: boolean;
  /**
   * Where its JWTs are asked about (RFC 7662) once their signature is verified, for tokens that hold few claims,
   * and for those that may end before their `exp`. What is answered is added to their claims, or takes their
   * place. Default: they stand for themselves.
   */
  introspection?: IntrospectionOptions;
}

/**
 * Finds what holds for tokens of an issuer that is not listed.
 *
 * @param iss as it stands in a token that nobody has verified
 * @param compile makes the policy of one route of it
 * @returns `undefined` for an issuer that nobody knows
 * @throws an error with a `code` while that cannot be said
 */
export type IssuerFinder = (
  iss: string,
  compile: (issuer: IssuerOptions) => TokenPolicy,
) => Promise<TokenPolicy | undefined>;

/** Defaults of all routes. */
export interface PolicyDefaults extends TokenPolicyOptions {
  /** Roles of which a token needs one on routes with `@RequireJwt({ admin: true })`. */
  adminRoles?: readonly string[];
}

/**
 * The signed token that a backend call carries in `Txn-Token` (draft-ietf-oauth-transaction-tokens), for that backend
 * alone: `iss`, `aud`, `iat`, `exp`, `txn`, the `sub` of the token that was verified, and what is chosen here. It
 * never outlives that token. A call for nobody has no `sub`.
 */
export interface HopOptions {
  /** `aud`. Default: the origin of the backend; of several hosts that of the first. */
  audience?: string;
  /** Claims that are copied, by name; dots reach nested ones. Default: none. */
  claims?: readonly string[];
  /** Of these scopes the token holds those of the token that was verified. Default: those that the route asks for. */
  scopes?: readonly string[];
  /** Seconds for which the token counts, from 2 to 3600. Default 30. */
  ttl?: number;
}

/** What one route asks of a token; what is left out comes from the defaults. */
export interface RoutePolicyOptions extends Partial<TokenPolicyOptions> {
  /** Roles of which the token needs any (or all, see `rolesMatcher`). Default: none is needed. */
  roles?: readonly string[];
  /** Scopes of which the token needs any (or all, see `scopesMatcher`). Default: none is needed. */
  scopes?: readonly string[];
  /**
   * URL of the JWK Set that this route's tokens are verified with, and with nothing else: the keys
   * of another issuer do not count here, whatever their `kid`. It is fetched as the option `remote` of
   * `JwksModule` says. Give `issuer`, `audience` and `algorithms` with it.
   */
  jwkUrl?: string;
  /** The same for a JWK file; its path is relative to the working directory. */
  jwkLocalPath?: string;
  /**
   * How `jwkUrl` is fetched, as far as it differs from the option `remote` of `JwksModule`, and how tokens name
   * a key of the set; the latter is for `jwkLocalPath`, too.
   */
  remote?: KeySourceOptions;
  /**
   * True: a request without a token passes as well, and `@Claims()` is `undefined` then. A token
   * that is refused is refused all the same (401). Not together with roles, scopes, `acr` or `maxAge`, which
   * anybody could avoid by leaving the token out.
   */
  optional?: boolean;
  /**
   * Values of `acr` of which the token has to hold one: how its user has to have logged in (RFC 9470), e.g. with
   * a second factor. Default: anyhow.
   */
  acr?: readonly string[];
  /**
   * Seconds that the login (`auth_time`) may be ago, beside `leeway` (RFC 9470). A token without `auth_time` is
   * refused then. Default: it does not matter.
   */
  maxAge?: number;
  /** True: the token needs one of `AuthModule`'s `adminRoles`; in place of `roles`. */
  admin?: boolean;
  /**
   * With options: backend calls made with `from: request` carry a signed token for that backend. Needs
   * `SigningModule`. True: the route takes such a token from `Txn-Token`, and no other; `audience` names this
   * service. Default: neither.
   */
  hop?: true | HopOptions;
}

/** Checks claims in whatever way a route asks for. @throws TokenRefusedError `claim_invalid` */
export type ClaimsCheck = (claims: Readonly<Record<string, unknown>>) => Promise<void>;

/** A `TokenPolicyOptions` with all defaults filled in, in the form the checks use. */
export interface TokenPolicy {
  readonly algorithms: ReadonlySet<JwsAlgorithm>;
  readonly issuers: ReadonlySet<string>;
  /**
   * What holds for tokens of each issuer, where there are several: `iss` chooses. `undefined` where one
   * policy holds for all.
   */
  readonly perIssuer: ReadonlyMap<string, TokenPolicy> | undefined;
  /** What holds for tokens of issuers that are not listed; `undefined` where none of them count. */
  readonly unlistedIssuer: ((iss: string) => Promise<TokenPolicy | undefined>) | undefined;
  /** Those of `issuers` that are not our own: names in revocations carry the issuer of their tokens. */
  readonly foreignIssuers: ReadonlySet<string>;
  readonly audiences: readonly string[];
  readonly audienceClaim: string;
  /** Tokens for other recipients count as well, e.g. for whoever takes a token back. */
  readonly anyAudience: boolean;
  /** Times do not matter: expired tokens count as well. */
  readonly anyAge: boolean;
  /** Bound tokens count without their proof or certificate, e.g. for whoever takes a token back. */
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
  /** One of these has to be the token's; empty where none is asked for. */
  readonly acr: readonly string[];
  /** Seconds; `undefined` where it does not matter. */
  readonly maxAge: number | undefined;
  /** `at+jwt` tokens need the claims of RFC 9068. */
  readonly profiled: boolean;
  readonly maxTokenLength: number;
  /** Lower case, without `application/`. */
  readonly types: ReadonlySet<string>;
  /** Flattened JWS JSON counts, too. */
  readonly full: boolean;
  /** What tokens may be by what they say of themselves; `any` for whoever takes a token back. */
  readonly kinds: 'access' | 'access or ID' | 'any';
  readonly cookieKey: string | undefined;
  /** Lower case. */
  readonly authHeaderName: string;
  /** Seconds. */
  readonly leeway: number;
  /** The only keys that count; `undefined` for those of the gateway. */
  readonly keySource: KeySource | undefined;
  /** A request without a token passes. */
  readonly optional: boolean;
  /** Claims that become headers of backend calls. */
  readonly claimHeaders: ClaimHeaderList;
  /** What the route's class of claims asks for. */
  readonly checkClaimsClass: ClaimsCheck | undefined;
  /** Tokens that are bound to a key: refused, accepted with a proof, or the only ones that are accepted. */
  readonly dpop: boolean | 'required';
  readonly dpopAlgorithms: ReadonlySet<JwsAlgorithm>;
  /** Seconds. */
  readonly dpopWindow: number;
  /** Where tokens that are no JWS are asked about; `undefined`: they are refused. */
  readonly introspection: IntrospectionOptions | undefined;
  /** Where JWTs are asked about once their signature is verified; `undefined`: nowhere. */
  readonly jwtIntrospection: IntrospectionOptions | undefined;
  /** The token that backend calls carry; `undefined`: what the call says. */
  readonly hop: HopOptions | undefined;
  /** Headers that carry the token or its proof; no backend gets them, nor the cookie. Lower case. */
  readonly credentialHeaders: readonly string[];
}
