export { AtMostEvery } from './at-most-every.js';
export { epochSeconds, nowSeconds } from './now.js';
