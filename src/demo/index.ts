export { startFakeBackend, type RunningBackend } from './demo-backend.js';
export { FakeBackend, FakeBackendModule } from './demo.module.js';
