export { createFile, replaceFile, syncFolder } from './atomic-file.js';
export { accessOf, describeExposure } from './exposure.js';
export { makeFolder } from './make-folder.js';
export { FileError, readTextFile, readTextFileSync, type FileContents } from './read-file.js';
