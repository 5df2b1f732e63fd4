// Says so on a Node that is too old, before anything fails for it.
import '../core/errors/index.js';

export { completeDocument, type DocumentOptions } from './application-document.js';
export { serveDocumentation } from './serve-documentation.js';
