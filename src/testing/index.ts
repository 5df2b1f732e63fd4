// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export {
  startFakeBackend,
  type FakeAnswer,
  type FakeBackend,
  type SeenCall,
} from './fake-backend.js';
export { mockJwt, type TestClaims } from './mock-jwt.js';
export { signTestToken, testIssuer } from './shared-issuer.js';
export {
  sharedStateStoreChecks,
  stateStoreChecks,
  type StateStoreCheck,
} from './state-store-checks.js';
export {
  createTestIssuer,
  type TestHeader,
  type TestIssuer,
  type TestIssuerOptions,
} from './test-issuer.js';
