import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import type { DynamicModule, Type } from '@nestjs/common';
import type TypeScript from 'typescript';
import { BootError } from '../../core/errors/index.js';
import { isJwsAlgorithm } from '../../core/jws/index.js';
import { readEnvironment, type RawEnvironment } from '../../environment/index.js';
import { CommandError } from '../command.error.js';
import { createJwk } from '../keys/material/new-key.js';
import type { ImportedConfig } from './import-config.js';

/** The result of checking an import. */
export interface CheckResult {
  /** Problems of the compiler, and of booting with each `NODE_ENV`, a line each. */
  readonly problems: readonly string[];
  /** What the check used in place of missing files and settings, a line each. */
  readonly standIns: readonly string[];
}

/** Boots the application of a root module. Tests replace it to look at the routes. */
type Booted = (root: DynamicModule, nodeEnv: string) => Promise<void>;

const MODES = ['development', 'production'] as const;

/**
 * Compiles the controllers, and boots the gateway with them and the environment, as development and as production. It
 * does not listen, and stores no state.
 *
 * @param cwd folder of the application, with its key files and its packages, e.g. TypeScript
 * @param boot boots the root module. Default: without listening
 * @throws CommandError without TypeScript
 */
export async function checkImport(
  imported: ImportedConfig,
  cwd: string,
  boot: Booted = bootAndClose,
): Promise<CheckResult> {
  const standIns = await StandIns.create(imported, cwd);
  try {
    const { controllers } = imported;
    const compiled =
      controllers === undefined ? undefined : await compile(standIns.apply(controllers), cwd);
    const problems = [...(compiled?.problems ?? [])];
    const extra =
      compiled === undefined ? undefined : await evaluate(compiled.javascript, problems);
    for (const mode of MODES)
      try {
        const env = readEnvironment({ ...standIns.environment, NODE_ENV: mode });
        await boot(await rootModule(env, imported, extra), mode);
      } catch (error) {
        problems.push(...linesOf(error).map((line) => `${mode}: ${line}`));
      }
    return { problems: [...new Set(problems)], standIns: standIns.lines };
  } finally {
    await standIns.remove();
  }
}

const linesOf = (error: unknown): readonly string[] => {
  if (error instanceof BootError) return error.problems;
  return [error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'it threw no Error'];
};

/** Stand-ins for files and addresses that exist only where the gateway runs. */
class StandIns {
  readonly lines: string[] = [];
  private readonly files = new Map<string, string>();

  private constructor(
    private readonly folder: string,
    private readonly cwd: string,
    private readonly variables: Record<string, string>,
  ) {}

  static async create(imported: ImportedConfig, cwd: string): Promise<StandIns> {
    const folder = await mkdtemp(join(tmpdir(), 'signet-check-'));
    const standIns = new StandIns(folder, cwd, { ...imported.environment });
    await standIns.fill(imported.controllers ?? '');
    return standIns;
  }

  get environment(): RawEnvironment {
    return {
      ...this.variables,
      STATE_STORE: 'memory:',
      WORKERS: '1',
      MANAGEMENT_PORT: 'off',
      LOG_LEVEL: 'silent',
    };
  }

  /** The controllers with the stand-ins in place of missing files. */
  apply(controllers: string): string {
    let text = controllers;
    for (const [path, file] of this.files)
      text = text.replaceAll(`jwkLocalPath: '${path}'`, `jwkLocalPath: ${JSON.stringify(file)}`);
    return text;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async fill(controllers: string): Promise<void> {
    const { variables } = this;
    const alg = variables.SIGNER_ALG ?? 'HS256';
    const needsPublicUrl = variables.SIGNER_ISSUER === undefined;
    if (needsPublicUrl) this.set('PUBLIC_URL', 'https://gateway.example');
    if (variables.VALIDATOR_AUDIENCE === undefined)
      this.set('VALIDATOR_AUDIENCE', 'https://api.example');
    if (variables.SIGNER_JWK_URL === undefined)
      await this.keyFile('SIGNER_JWK_LOCAL_PATH', alg, variables.SIGNER_KID);
    if (variables.VALIDATOR_JWK_LOCAL_PATH !== undefined)
      await this.keyFile('VALIDATOR_JWK_LOCAL_PATH', variables.VALIDATOR_ALG ?? alg);
    for (const [, path = ''] of controllers.matchAll(/jwkLocalPath: '([^']+)'/g))
      await this.file(path, algorithmNear(controllers, path));
  }

  private set(name: string, value: string): void {
    this.variables[name] = value;
    this.lines.push(`${name} is ${value}`);
  }

  private async keyFile(name: string, alg: string, kid?: string): Promise<void> {
    const path = this.variables[name] ?? 'keys/signing.jwks.json';
    const file = await this.file(path, alg, kid);
    if (file !== undefined) this.variables[name] = file;
  }

  /** @returns path of the file, or of its stand-in if it is not there; `undefined` for an unknown algorithm */
  private async file(path: string, alg: string, kid?: string): Promise<string | undefined> {
    const absolute = isAbsolute(path) ? path : resolve(this.cwd, path);
    if (existsSync(absolute)) return absolute;
    const known = this.files.get(path);
    if (known !== undefined) return known;
    if (!isJwsAlgorithm(alg)) return undefined;
    const file = join(this.folder, `${this.files.size}.jwks.json`);
    const keys = [await createJwk(alg, kid)];
    await writeFile(file, JSON.stringify({ keys }), { mode: 0o600 });
    this.files.set(path, file);
    this.lines.push(`${path} is a new key, since the file is not there`);
    return file;
  }
}

/** Returns the algorithm in the options that name a key file. Default HS256. */
const algorithmNear = (controllers: string, path: string): string =>
  /algorithms: \['([\w-]+)'\][^;@]*$/.exec(
    controllers.slice(0, controllers.indexOf(`jwkLocalPath: '${path}'`)),
  )?.[1] ?? 'HS256';

interface Compiled {
  readonly problems: readonly string[];
  readonly javascript: string;
}

/** Parsed files of packages by path. A process that checks several imports parses each file once. */
const parsed = new Map<string, TypeScript.SourceFile | undefined>();

/** Folder of this package's sources or compiled files. */
const ROOT = new URL('../../', import.meta.url);
const FILE = 'imported.module.ts';

async function compile(text: string, cwd: string): Promise<Compiled> {
  const ts = await loadTypeScript(cwd);
  // The file is in this package's folder, so that its imports resolve to the same packages.
  const file = fileURLToPath(new URL(`../${FILE}`, ROOT));
  const types = (folder: string): string[] =>
    ['index.d.ts', 'index.ts']
      .map((name) => fileURLToPath(new URL(folder + name, ROOT)))
      .filter((path) => existsSync(path))
      .slice(0, 1);
  const options: TypeScript.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    types: ['node'],
    typeRoots: [
      fileURLToPath(new URL('../node_modules/@types', ROOT)),
      join(cwd, 'node_modules/@types'),
    ],
    paths: { 'nest-signet': types(''), 'nest-signet/throttle': types('throttle/') },
  };
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.getSourceFile = (path, ...rest) => {
    if (path === file)
      return ts.createSourceFile(path, text, {
        languageVersion: ts.ScriptTarget.ES2023,
        impliedNodeFormat: ts.ModuleKind.ESNext,
      });
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest));
    return parsed.get(path);
  };
  host.fileExists = (path) => path === file || fileExists(path);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  const problems = ts.getPreEmitDiagnostics(program, source).map(({ messageText, start = 0 }) => {
    const line = text.slice(0, start).split('\n').length;
    return `${FILE}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { ...options, noEmit: false, paths: {}, module: ts.ModuleKind.CommonJS },
  });
  return { problems, javascript: outputText };
}

/** Loads the TypeScript of the application, else that of this package. */
async function loadTypeScript(cwd: string): Promise<typeof TypeScript> {
  for (const from of [join(cwd, 'package.json'), fileURLToPath(import.meta.url)])
    try {
      const path = createRequire(from).resolve('typescript');
      const loaded = (await import(pathToFileURL(path).href)) as { default: typeof TypeScript };
      return loaded.default;
    } catch {
      // The next folder is tried.
    }
  throw new CommandError('--check needs TypeScript: npm install --save-dev typescript');
}

/** Runs the compiled controllers with this process's own packages, which must not be loaded twice. */
async function evaluate(javascript: string, problems: string[]): Promise<Type | undefined> {
  await import('reflect-metadata');
  const modules: Readonly<Record<string, unknown>> = {
    'node:fs': await import('node:fs'),
    '@nestjs/common': await import('@nestjs/common'),
    // The exports that the controllers use.
    'nest-signet': {
      ...(await import('../../auth/index.js')),
      ...(await import('../../backend/index.js')),
      ...(await import('../../http/index.js')),
      ...(await import('../../signing/index.js')),
    },
    'nest-signet/throttle': await import('../../throttle/index.js'),
  };
  const exports: { ImportedModule?: Type } = {};
  try {
    const run = compileFunction(javascript, ['require', 'exports']) as (
      require: (name: string) => unknown,
      exports: object,
    ) => void;
    run((name) => modules[name], exports);
  } catch (error) {
    problems.push(`${FILE}: ${linesOf(error)[0] ?? ''}`);
  }
  return exports.ImportedModule;
}

async function rootModule(
  env: ReturnType<typeof readEnvironment>,
  { replaced }: ImportedConfig,
  extra: Type | undefined,
): Promise<DynamicModule> {
  const { AppModule } = await import('../../app.module.js');
  const gateway = await AppModule.register(
    Object.assign({}, env, { BACKEND_HOST: env.BACKEND_HOST ?? 'http://localhost' }),
  );
  const kept = (gateway.imports ?? []).filter((one) => {
    const module = 'module' in one ? one.module : (one as Type);
    return !(replaced as readonly string[]).includes(module.name);
  });
  return { ...gateway, imports: [...kept, ...(extra === undefined ? [] : [extra])] };
}

async function bootAndClose(root: DynamicModule): Promise<void> {
  const { NestFactory } = await import('@nestjs/core');
  const app = await NestFactory.create(root, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
    routeConflictPolicy: { duplicate: 'error' },
  });
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

/**
 * Formats TypeScript in the style of the application at `cwd`, if Prettier is installed.
 *
 * @returns the text unchanged if it is not
 */
export async function formatted(text: string, cwd: string): Promise<string> {
  for (const from of [join(cwd, 'package.json'), fileURLToPath(import.meta.url)])
    try {
      const path = createRequire(from).resolve('prettier');
      const { default: prettier } = (await import(pathToFileURL(path).href)) as {
        default: Prettier;
      };
      const config = (await prettier.resolveConfig(join(cwd, 'src', FILE))) ?? STYLE;
      return await prettier.format(text, { ...config, parser: 'typescript' });
    } catch {
      // The next folder is tried.
    }
  return text;
}

interface Prettier {
  resolveConfig(file: string): Promise<object | null>;
  format(text: string, options: object): Promise<string>;
}

const STYLE = { singleQuote: true, trailingComma: 'all', printWidth: 100 };
