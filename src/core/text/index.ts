export { meant, nearest } from './nearest.js';
export { oneLine, visible, visibleInJson } from './one-line.js';
