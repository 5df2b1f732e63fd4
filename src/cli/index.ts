export type { CommandIo, CommandStream } from './command-io.js';
export { run } from './run.js';
