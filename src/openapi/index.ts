export { completeDocument, type DocumentSources } from './complete-document.js';
export { serveDocumentation } from './serve-documentation.js';
