import { oneLine } from '../describe-error.js';

/** A line of a result; a kid in it cannot break it or steer the terminal. */
export const say = (line: string): void => {
  process.stdout.write(`${oneLine(line)}\n`);
};

/** A remark that must not get into a result that is piped on. */
export const remark = (line: string): void => {
  process.stderr.write(`signet: ${oneLine(line)}\n`);
};

/** A result for programs. */
export const sayJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
};
