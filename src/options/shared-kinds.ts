import type { KeySourceOptions, KeyUrlOptions } from '../core/keys/index.js';
import type {
  HopOptions,
  IntrospectionOptions,
  IssuerOptions,
  PolicyDefaults,
} from '../core/verify/index.js';
import * as kinds from './option-kinds.js';
import type { OptionKinds } from './option-kinds.js';

/** Options of a remote key set. */
export const KEY_URL_KINDS: OptionKinds<KeyUrlOptions> = {
  cacheTtl: kinds.number('seconds'),
  cooldown: kinds.number('seconds'),
  maxStaleSeconds: kinds.number('seconds'),
  timeoutMs: kinds.number('milliseconds'),
  allowHttp: kinds.flag,
  httpHosts: kinds.texts,
  fingerprints: kinds.texts,
  fingerprintsMatch: kinds.oneOf('leaf', 'chain'),
  ca: kinds.text,
  proxy: kinds.members({ http: kinds.text, https: kinds.text, no: kinds.text }),
};

export const IDENTIFY_STRATEGY = kinds.oneOf('kid', 'x5t', 'x5t#S256', 'kid_x5t');

const KEY_SOURCE_KINDS: OptionKinds<KeySourceOptions> = {
  ...KEY_URL_KINDS,
  identifyStrategy: IDENTIFY_STRATEGY,
};

const INTROSPECTION_KINDS: OptionKinds<IntrospectionOptions> = {
  url: kinds.name,
  clientId: kinds.name,
  clientSecret: kinds.name,
  authMethod: kinds.oneOf('client_secret_basic', 'client_secret_post'),
  clientFile: kinds.name,
  cacheTtl: kinds.number('seconds'),
  timeoutMs: kinds.number('milliseconds'),
  remote: kinds.members(KEY_URL_KINDS),
};

const MATCHER = kinds.oneOf('any', 'all');
const PROFILE = kinds.oneOf('none', 'rfc9068');

const ISSUER_KINDS: OptionKinds<IssuerOptions> = {
  issuer: kinds.name,
  audience: kinds.textOrTexts,
  audienceMatcher: MATCHER,
  audienceClaim: kinds.name,
  profile: PROFILE,
  idTokens: kinds.flag,
  algorithms: kinds.texts,
  jwksUri: kinds.name,
  jwkLocalPath: kinds.name,
  keys: kinds.object,
  remote: kinds.members(KEY_SOURCE_KINDS),
  own: kinds.flag,
  introspection: kinds.members(INTROSPECTION_KINDS),
};

/** Options of `AuthModule` and `@RequireJwt` about tokens. */
export const POLICY_KINDS: OptionKinds<PolicyDefaults> = {
  algorithms: kinds.texts,
  issuer: kinds.textOrTexts,
  issuers: kinds.listOf(ISSUER_KINDS),
  audience: kinds.textOrTexts,
  audienceClaim: kinds.name,
  audienceMatcher: MATCHER,
  rolesKey: kinds.name,
  rolesKeyIsNested: kinds.flag,
  rolesMatcher: MATCHER,
  scopesKey: kinds.name,
  scopesMatcher: MATCHER,
  requiredClaims: kinds.texts,
  profile: PROFILE,
  maxTokenLength: kinds.whole('characters', 1),
  types: kinds.texts,
  full: kinds.flag,
  idTokens: kinds.flag,
  cookieKey: kinds.name,
  authHeaderName: kinds.name,
  leeway: kinds.number('seconds'),
  propagateClaims: kinds.textsByName,
  propagateEncoding: kinds.oneOf('percent', 'utf8'),
  propagateLists: kinds.oneOf('joined', 'repeated'),
  dpop: kinds.oneOf(true, false, 'required'),
  dpopAlgorithms: kinds.texts,
  dpopWindow: kinds.number('seconds'),
  adminRoles: kinds.texts,
  introspection: kinds.members({
    ...INTROSPECTION_KINDS,
    tokens: kinds.oneOf('opaque', 'all'),
  }),
};

/** Options of the tokens that backend calls carry. */
export const HOP_KINDS: OptionKinds<HopOptions> = {
  audience: kinds.name,
  claims: kinds.texts,
  scopes: kinds.texts,
  ttl: kinds.whole('seconds', 2),
};

/** Options of `@RequireJwt` alone. */
export const ROUTE_KINDS = {
  roles: kinds.texts,
  scopes: kinds.texts,
  acr: kinds.texts,
  maxAge: kinds.number('seconds'),
  jwkUrl: kinds.name,
  jwkLocalPath: kinds.name,
  remote: kinds.members(KEY_SOURCE_KINDS),
  admin: kinds.flag,
  hop: kinds.orElse(kinds.members(HOP_KINDS), true),
};
