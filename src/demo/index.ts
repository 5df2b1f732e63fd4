export { startDemoBackend, type RunningBackend } from './demo-backend.js';
export { DemoBackend, DemoModule } from './demo.module.js';
export { answerDemo, serve } from './demo-backend.js';
