export { AtMostEvery } from './at-most-every.js';
export { now, nowSeconds } from './now.js';
