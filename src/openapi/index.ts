// First: it fails with a clear message where Node.js is too old.
import '../core/errors/index.js';

export { completeDocument, type DocumentOptions } from './application-document.js';
export { serveDocumentation } from './serve-documentation.js';
