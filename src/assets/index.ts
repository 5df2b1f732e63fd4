// The files of the pages. This folder does not load Nest, since the primary of a cluster serves pages as well.
export { CONTENT_SECURITY_POLICY, pageFile, pagePart, type PageFile } from './page-files.js';
