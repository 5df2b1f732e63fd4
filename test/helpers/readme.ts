import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';

/** A block of code of the README. */
export interface Block {
  /** The headline above it. */
  section: string;
  language: string;
  code: string;
}

export const README = readFileSync('README.md', 'utf8');

/** All blocks, in their order; drawings have no language. */
export const README_BLOCKS: readonly Block[] = README.split(/^#{2,3} /m).flatMap((text) =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    section: text.slice(0, text.indexOf('\n')),
    language,
    code,
  })),
);

/**
 * The code of a section's blocks. Which section is tested where is looked up by the text of the call,
 * so the argument has to be a literal.
 */
export function readmeBlocks(section: string): string[] {
  const found = README_BLOCKS.filter((block) => block.section === section);
  if (found.length === 0) throw new Error(`the README has no block under '${section}'`);
  return found.map(({ code }) => code);
}

/** Runs a script as a user's shell would, with the Node that the project brings along. */
export async function bash(
  script: string,
  env: Record<string, string> = {},
  cwd?: string,
): Promise<string> {
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const run = promisify(execFile)('bash', ['-c', script], {
    env: { ...process.env, ...env, PATH },
    cwd,
  });
  return (await run).stdout;
}

/**
 * Runs a session against a gateway in place of the one at port 8080. Each line `# → text` asserts that
 * what was printed since the last such line holds the text.
 *
 * @returns what was printed, step by step
 */
export async function expectSession(session: string, url: string): Promise<string[]> {
  const marker = '\u0001';
  const output = await bash(
    session.replaceAll('http://localhost:8080', url).replaceAll(/^# → .*$/gm, `printf '${marker}'`),
  );
  const steps = output.split(marker);
  const expectations = [...session.matchAll(/^# → (.*)$/gm)].map(([, text = '']) => text);
  expect(expectations.length).toBeGreaterThan(0);
  for (const [index, text] of expectations.entries()) expect(steps[index]).toContain(text);
  return steps;
}

/** The variables that a block sets before `npm start` or `npm run start:prod`. */
export function environmentOf(block: string): Record<string, string> {
  const command = block.replaceAll('\\\n', ' ').match(/^.*\bnpm (?:start|run start:prod)\b.*$/m);
  if (command === null) throw new Error(`no gateway is started here:\n${block}`);
  return Object.fromEntries(
    [...command[0].matchAll(/\b([A-Z][A-Z_0-9]*)=(\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
}
