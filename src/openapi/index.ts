export { completeDocument, type DocumentOptions } from './application-document.js';
export { serveDocumentation } from './serve-documentation.js';
