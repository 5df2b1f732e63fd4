export { oneLine, visible, visibleInJson } from './one-line.js';
