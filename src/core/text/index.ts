export { probableMatch, nearest } from './nearest.js';
export { oneLine, escapeControls, visibleInJson } from './one-line.js';
