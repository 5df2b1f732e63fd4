export type { CommandIo, CommandStream, Variables } from './command-io.js';
export { run } from './run.js';
