// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { completeDocument, type DocumentOptions } from './application-document.js';
export { serveDocumentation } from './serve-documentation.js';
