export { startDemoBackend, type RunningBackend } from './demo-backend.js';
export { DemoBackend, DemoModule } from './demo.module.js';
