export { startFakeBackend, type RunningBackend } from './fake-backend.js';
export { FakeBackend, FakeBackendModule } from './fake-backend.module.js';
