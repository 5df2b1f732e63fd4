/**
 * NestJS modules and decorators that sign fields of answers as JWTs, and protect routes with access tokens.
 *
 * @packageDocumentation
 */
// Imported first: it throws an error with a clear message if Node.js is too old.
import './core/errors/index.js';

export {
  AUTH_OPTIONS,
  AuthGuard,
  AuthModule,
  TokenRefusedException,
  Claims,
  JwtVerifier,
  ProtectedRoutes,
  Public,
  RequireJwt,
  verifiedClaims,
  type AuthModuleOptions,
  type ClaimsValidator,
  type ContextRequest,
  type IssuerResolver,
  type IssuerResolverOptions,
  type RequireJwtOptions,
  type StandardSchema,
  type ResolvedIssuer,
} from './auth/index.js';
export {
  type HopOptions,
  type IntrospectionOptions,
  type IssuerOptions,
  type Matcher,
  type TokenHolder,
  type TokenPolicyOptions,
  type TokenProfile,
  type VerifiedClaims,
} from './core/verify/index.js';
export {
  BACKEND_OPTIONS,
  BackendAnswer,
  BackendBadResponseException,
  BackendClient,
  BackendModule,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
  ClaimForBackendMissingException,
  ClientTooSlowException,
  pathSegment,
  type AnswerEncoding,
  type BackendCall,
  type BackendModuleOptions,
  type JsonTypes,
  type ProxyCall,
} from './backend/index.js';
export { RouteTable, type RouteAccess, type RouteRow } from './routes/index.js';
export { RequestBodyException, withholdHeaders } from './http/index.js';
export { BootError } from './core/errors/index.js';
export { GatewayException, type GatewayError } from './http/index.js';
export { TokenRefusedError, type TokenRefusalCode } from './core/errors/index.js';
export { ERROR_FILTER_OPTIONS, ErrorFilter, type ErrorFilterOptions } from './http/index.js';
export {
  requestContextMiddleware,
  requestEndMiddleware,
  type FinishedRequest,
  type RequestListener,
} from './http/index.js';
export {
  IntrospectionUnavailableException,
  JWKS_OPTIONS,
  JwkKeyStore,
  JwksModule,
  KeysUnavailableException,
  type JwksModuleOptions,
} from './jwks/index.js';
export {
  KeyError,
  type KeyDocument,
  type KeyIdentifyStrategy,
  type KeyProvider,
  type KeySource,
  type KeySourceOptions,
  type KeyUrlOptions,
  type RefreshPolicy,
} from './core/keys/index.js';
export { JWS_ALGORITHMS, type JwsAlgorithm } from './core/jws/index.js';
export {
  JwtSigner,
  SIGNING_OPTIONS,
  SignedRoutes,
  SignFields,
  SigningInterceptor,
  SigningModule,
  SignedAnswer,
  SigningException,
  UnsignedAnswer,
  type SignFieldsDecorator,
  type SignFieldsOptions,
  type SigningModuleOptions,
} from './signing/index.js';
export {
  type ClaimSet,
  type SigningSteps,
  type StaleExpPolicy,
  type TokenFormat,
} from './core/sign/index.js';
export {
  ProtectedResourceModule,
  WellKnownModule,
  type ProtectedResourceModuleOptions,
  type WellKnownModuleOptions,
} from './well-known/index.js';
export {
  SessionListModule,
  SessionModule,
  SessionRoutesModule,
  type SessionListModuleOptions,
  type SessionModuleOptions,
} from './session/index.js';
export {
  ThrottleModule,
  TokenThrottleGuard,
  type ThrottleModuleOptions,
} from './throttle/index.js';
export {
  IntrospectionModule,
  OAuthModule,
  TokenModule,
  type IntrospectionModuleOptions,
  type LoginHandler,
  type LoginRequest,
  type OAuthModuleOptions,
  type RefreshedSession,
  type RefreshHandler,
  type RefreshOptions,
  type TokenAnswer,
  type TokenModuleOptions,
} from './token/index.js';
export {
  openStore,
  Revocations,
  STATE_OPTIONS,
  STATE_STORE,
  StateModule,
  StateLoadingException,
  StateReadOnlyException,
  StateUnavailableException,
  type ChangeCursor,
  type Hits,
  type RefreshOutcome,
  type RefreshUse,
  type RevocationChanges,
  type RevocationRequest,
  type StateModuleOptions,
  type StateStore,
  type StoreOptions,
} from './state/index.js';
export {
  REVOCATION_KINDS,
  revocationSubject,
  tokenDigest,
  type Revocation,
  type RevocationKind,
  type RevocationSubject,
  type TokenNames,
} from './core/revocation/index.js';
