// The files of the pages. Nothing here loads Nest: the primary of a cluster serves pages, too.
export { CONTENT_SECURITY_POLICY, pageFile, pagePart, type PageFile } from './page-files.js';
