/**
 * Signs fields of answers as JWTs and lets only requests with a valid token through.
 *
 * @packageDocumentation
 */
export {
  AuthGuard,
  AuthModule,
  TokenRefusedException,
  Claims,
  JwtVerifier,
  ProtectedRoutes,
  RequireJwt,
  type AuthModuleOptions,
  type Matcher,
  type RequireJwtOptions,
  type TokenPolicyOptions,
  type VerifiedClaims,
} from './auth/index.js';
export {
  BackendAnswer,
  BackendBadResponseException,
  BackendClient,
  BackendModule,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
  ClaimForBackendMissingException,
  pathSegment,
  withholdHeaders,
  type BackendCall,
  type BackendModuleOptions,
} from './backend/index.js';
export { BootError } from './core/errors/boot.error.js';
export { GatewayException, type GatewayError } from './http/gateway.exception.js';
export { TokenRefusedError, type TokenRefusalCode } from './core/errors/token-refused.error.js';
// Not by the index of http/, which brings the gateway's own HTTP server along.
export { ErrorFilter, type ErrorFilterOptions } from './http/error.filter.js';
export { requestContextMiddleware } from './http/request-context.middleware.js';
export {
  JwkKeyStore,
  JwksModule,
  KeyError,
  KeysUnavailableException,
  type JwksModuleOptions,
  type KeyDocument,
  type KeyIdentifyStrategy,
  type KeyProvider,
  type KeySource,
  type KeyUrlOptions,
  type RefreshPolicy,
} from './jwks/index.js';
export { JWS_ALGORITHMS, type JwsAlgorithm } from './core/jws/index.js';
export {
  JwtSigner,
  SignedRoutes,
  SignFields,
  SigningInterceptor,
  SigningModule,
  SigningException,
  type ClaimSet,
  type SignFieldsDecorator,
  type SignFieldsOptions,
  type SigningModuleOptions,
  type StaleExpPolicy,
  type TokenFormat,
} from './signing/index.js';
export {
  openStore,
  REVOCATION_KINDS,
  Revocations,
  revocationSubject,
  STATE_STORE,
  StateModule,
  StateUnavailableException,
  tokenId,
  type ChangeCursor,
  type Hits,
  type RefreshOutcome,
  type RefreshUse,
  type Revocation,
  type RevocationChanges,
  type RevocationKind,
  type RevocationRequest,
  type RevocationSubject,
  type StateModuleOptions,
  type StateStore,
  type TokenNames,
} from './state/index.js';
