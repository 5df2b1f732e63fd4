import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { kill, tempFolder, track } from './resources.js';

const run = promisify(execFile);
const NODE_MODULES = resolve('node_modules');
/** npm and the package scripts run on the Node that the project brings along. */
const ENV = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };

/** The tarball as npm would publish it, of the present `dist`. */
export async function pack(): Promise<{ tarball: string; files: string[]; bytes: number }> {
  const directory = tempFolder('pack');
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', directory],
    { env: ENV },
  );
  const [packed] = Object.values(JSON.parse(stdout) as object) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  if (packed === undefined) throw new Error('npm packed nothing');
  return {
    tarball: join(directory, packed.filename),
    files: packed.files.map(({ path }) => path),
    bytes: packed.size,
  };
}

/** A fresh application with these files, and the tarball as its dependency. */
export async function createConsumer(
  tarball: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = tempFolder('app');
  const modules = join(directory, 'node_modules');
  const own = join(modules, 'nest-signet');
  mkdirSync(own, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  // What npm would fetch for the tarball's and the application's own dependencies.
  for (const name of readdirSync(NODE_MODULES))
    if (!name.startsWith('.')) symlinkSync(join(NODE_MODULES, name), join(modules, name));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** Compiles an application; the problems the compiler found, one per line. */
export async function compile(directory: string): Promise<string> {
  const tsc = join(NODE_MODULES, 'typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', directory], { env: ENV }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout || 'tsc failed',
  );
}

/** An application in a process of its own. */
export interface RunningConsumer {
  /** What it printed as JSON when it listened. */
  hello: Record<string, string>;
  stop(): Promise<void>;
}

/** Starts `dist/main.js` and waits for its first line. Fails with its output when it exits instead. */
export async function startConsumer(
  directory: string,
  env: Record<string, string> = {},
): Promise<RunningConsumer> {
  const child = track(
    spawn(process.execPath, ['dist/main.js'], { cwd: directory, env: { ...ENV, ...env } }),
  );
  let output = '';
  const line = await new Promise<string>((found, fail) => {
    const onData = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = /^\{.*\}$/m.exec(output);
      if (match !== null) found(match[0]);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('close', (code) => fail(new Error(`exited with ${code}:\n${output}`)));
  });
  return {
    hello: JSON.parse(line) as Record<string, string>,
    stop: () => kill(child),
  };
}
