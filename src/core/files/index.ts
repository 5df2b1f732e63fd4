export { createFile, replaceFile } from './atomic-file.js';
export { describeExposure } from './exposure.js';
export { FileError } from './file.error.js';
export { readTextFile, type FileContents } from './read-file.js';
