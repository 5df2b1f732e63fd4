export { createFile, makeFolder, replaceFile, syncFolder } from './atomic-file.js';
export { accessOf, describeExposure } from './exposure.js';
export { FileError, readTextFile, readTextFileSync, type FileContents } from './read-file.js';
