export { CircuitBreaker, type BreakerOptions, type BreakerState } from './circuit-breaker.js';
