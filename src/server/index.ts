export { answerClientError } from './client-error.js';
export { GatewayAdapter } from './gateway-adapter.js';
export { useDirectHandlers } from './direct-handlers.js';
