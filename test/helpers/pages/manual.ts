import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { startGateway, type Gateway } from '../gateway/gateway.js';

/** The manual: the README and a page a subject, by name (`README`, `recipes`, …). */
export const PAGES: ReadonlyMap<string, string> = new Map(
  ['README.md', ...globSync('docs/*.md').filter((file) => basename(file) !== 'README.md')].map(
    (file) => [basename(file, '.md'), readFileSync(file, 'utf8')],
  ),
);

/** A block of code of the manual. */
export interface Block {
  /** Name of the page. */
  readonly page: string;
  /** The headline above it. */
  readonly section: string;
  /** What stands behind the fence; `text` is a picture and no code. */
  readonly language: string;
  readonly code: string;
}

/** All blocks of the manual, in the order of the pages. */
export const BLOCKS: readonly Block[] = [...PAGES].flatMap(([page, text]) => blocksIn(page, text));

/** Line by line: within a block, `# …` is a comment and no headline. */
function blocksIn(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: { language: string; lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    const fence = /^```(\w*)$/.exec(line);
    if (open !== undefined && fence === null) open.lines.push(`${line}\n`);
    else if (open !== undefined) {
      blocks.push({ page, section, language: open.language, code: open.lines.join('') });
      open = undefined;
    } else if (fence !== null) open = { language: fence[1] ?? '', lines: [] };
    else section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
  }
  return blocks;
}

/**
 * The code of all blocks of a section. `manual.spec.ts` looks for these calls to see which sections are
 * tested, so page and section have to be literals.
 *
 * @param languages of the blocks, in their order: a block more or less is an error
 */
export function blocksOf<const Languages extends readonly string[]>(
  page: string,
  section: string,
  ...languages: Languages
): { [Index in keyof Languages]: string } {
  const found = BLOCKS.filter((block) => block.page === page && block.section === section);
  expect(found.map(({ language }) => language)).toEqual(languages);
  return found.map(({ code }) => code) as { [Index in keyof Languages]: string };
}

/** The command `signet` as it was built, for `npm run keys --` and `npm run signet --`, which build first. */
const SIGNET = `node ${resolve('dist/cli/main.js')}`;
/** Without what npm itself takes time for: a build, and its start before the command of a package. */
const withoutNpm = (script: string): string =>
  script
    .replaceAll(/npm run (?:--silent )?(keys|signet) --/g, (_match, name) =>
      name === 'keys' ? `${SIGNET} keys` : SIGNET,
    )
    .replaceAll(/\bnpx (?=\w)/g, 'node_modules/.bin/');

/**
 * Runs a script as a user's shell would, with the Node of npm scripts. The commands of the
 * gateway run without a build before each, those of packages without npx.
 *
 * @throws Error when the script fails
 */
export async function bash(
  script: string,
  env: Record<string, string> = {},
  cwd?: string,
): Promise<string> {
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const run = promisify(execFile)('bash', ['-e', '-c', withoutNpm(script)], {
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

/** A block that starts the gateway: the commands before, and the variables of the start. */
function startOf(block: string): { before: string; env: Record<string, string> } {
  const text = block.replaceAll('\\\n', ' ');
  const match = /^.*\bnpm (start|run start:prod)\n$/m.exec(text);
  if (match === null) throw new Error(`no gateway is started at the end of:\n${block}`);
  const [line, script] = match;
  const variables = [...line.matchAll(/\b([A-Z][A-Z_0-9]*)=(\S+)/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  return {
    before: text.slice(0, match.index),
    env: {
      ...(script === 'start' ? {} : { NODE_ENV: 'production' }),
      ...Object.fromEntries(variables),
    },
  };
}

/** The variables that a block sets before `npm start` or `npm run start:prod`, its last command. */
export const environmentOf = (block: string): Record<string, string> => startOf(block).env;

/**
 * Runs a block that ends in `npm start` or `npm run start:prod`.
 *
 * @param cwd where
 * @param env further variables, and others in place of those of the block
 * @param wrapper see `startGateway`
 */
export async function startAsPrinted(
  block: string,
  cwd: string,
  env: Record<string, string> = {},
  wrapper?: readonly string[],
): Promise<Gateway> {
  const { before, env: printed } = startOf(block);
  await bash(before, {}, cwd);
  const started: Record<string, string> = { ...printed, ...env };
  // What it calls itself follows the port.
  const own = (port = '0'): string => `http://localhost:${port}`;
  if (printed.VALIDATOR_ISSUER !== undefined)
    started.VALIDATOR_ISSUER = printed.VALIDATOR_ISSUER.replace(
      own(printed.PORT ?? '8080'),
      own(started.PORT),
    );
  return startByDefaults(started, cwd, wrapper);
}

/** A gateway as users start it: its issuer and its audience are the defaults, unless `env` has them. */
export async function startByDefaults(
  env: Record<string, string> = {},
  cwd?: string,
  wrapper?: readonly string[],
): Promise<Gateway> {
  const gateway = await startGateway(
    { SIGNER_ISSUER: '', VALIDATOR_AUDIENCE: '', ...env },
    cwd,
    wrapper,
  );
  // The name that stands in the manual, and in the issuer.
  return { ...gateway, url: gateway.url.replace('127.0.0.1', 'localhost') };
}

/** The file that the first line of a block names, and the block. */
export function fileOf(block: string): [name: string, text: string] {
  const name = /^\/\/ (\S+)\n/.exec(block)?.[1];
  if (name === undefined) throw new Error(`no file is named by the first line of:\n${block}`);
  return [name, block];
}

/** Writes a block to the file that its first line names. */
export function writeBlock(block: string, directory: string): void {
  const [name, text] = fileOf(block);
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
