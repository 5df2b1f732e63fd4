import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kill, tempFolder, track } from '../run/resources.js';

const run = promisify(execFile);
/** npm and the package scripts run on the Node that this runs on. */
const ENV = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };

/** A package as npm would publish it. */
export interface PackedPackage {
  tarball: string;
  files: string[];
  bytes: number;
}

/** The present `dist`, packed once for all files of a run. */
export async function pack(): Promise<PackedPackage> {
  // Of the run, which removes it.
  const directory = join(tmpdir(), 'packed');
  const result = join(directory, 'result.json');
  try {
    mkdirSync(directory);
  } catch {
    // Another file packs, or has packed. Whoever waits has a deadline.
    while (!existsSync(result)) await sleep(50);
    return JSON.parse(readFileSync(result, 'utf8')) as PackedPackage;
  }
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', directory],
    { env: ENV },
  );
  const [made] = Object.values(JSON.parse(stdout) as object) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  if (made === undefined) throw new Error('npm packed nothing');
  const packed = {
    tarball: join(directory, made.filename),
    files: made.files.map(({ path }) => path),
    bytes: made.size,
  };
  writeFileSync(`${result}.new`, JSON.stringify(packed));
  renameSync(`${result}.new`, result);
  return packed;
}

/** What an application in ES modules begins with. */
export const ES_MODULES = {
  'package.json': JSON.stringify({ name: 'shop', type: 'module' }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      skipLibCheck: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      types: ['node'],
      outDir: 'dist',
      rootDir: 'src',
    },
  }),
};

/**
 * What npm installs for an application that depends on the package, as paths of the lock file: its
 * dependencies and its peers but for the optional ones, with all of theirs.
 */
export function installedForUsers(): [path: string, LockedPackage][] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(packages).filter(
    // Optional peers of others that are development dependencies here come with neither.
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
  );
}
interface LockedPackage {
  version: string;
  dev?: boolean;
  devOptional?: boolean;
  hasInstallScript?: boolean;
}

/** What many applications have beside the tarball: an adapter, axios, and what a ValidationPipe needs. */
export const USUAL_PACKAGES = [
  '@nestjs/axios',
  '@nestjs/platform-express',
  'axios',
  'class-transformer',
  'class-validator',
];

/**
 * A fresh application with these files, and the tarball as its dependency.
 *
 * @param packages what is installed beside it, of the packages of the project and of test/packages
 */
export async function createConsumer(
  tarball: string,
  files: Readonly<Record<string, string>>,
  packages: readonly string[] = USUAL_PACKAGES,
): Promise<string> {
  const directory = tempFolder('app');
  const modules = join(directory, 'node_modules');
  const own = join(modules, 'nest-signet');
  mkdirSync(own, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  const beside = ['@types/node', ...packages].map((name) => `node_modules/${name}`);
  for (const path of new Set([...installedForUsers().map(([name]) => name), ...beside])) {
    // A package within another one comes with it.
    if (path.lastIndexOf('node_modules/') > 0) continue;
    const installed = ['.', 'test/packages'].map((root) => resolve(root, path)).find(existsSync);
    if (installed === undefined) throw new Error(`${path} is not installed`);
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    symlinkSync(installed, join(directory, path));
  }
  // As npm makes the command of a package.
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync('../nest-signet/dist/cli/main.js', join(modules, '.bin/signet'));
  chmodSync(join(own, 'dist/cli/main.js'), 0o755);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
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
