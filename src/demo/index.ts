export { answerDemo, startServer, startDemoBackend, type RunningBackend } from './demo-backend.js';
