export { answerDemo, serve, startDemoBackend, type RunningBackend } from './demo-backend.js';
