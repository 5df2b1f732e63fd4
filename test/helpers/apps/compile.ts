import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** Files of installed packages, which programs with the same options share: most of a compilation is to read them. */
const parsed = new Map<string, ts.SourceFile | undefined>();
const PACKAGES = ['node_modules', 'test/packages/node_modules'].map((path) => `${resolve(path)}/`);

/** What `tsc -p` takes from a file of settings. */
function settingsOf(path: string, directory: string): ts.ParsedCommandLine {
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as { config: object };
  return ts.parseJsonConfigFileContent(config, ts.sys, directory);
}

function createHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (file, how, ...rest) => {
    if (!PACKAGES.some((folder) => file.startsWith(folder)))
      return getSourceFile(file, how, ...rest);
    const { target, module, moduleResolution, strict } = options;
    const format = typeof how === 'object' ? how.impliedNodeFormat : how;
    const key = JSON.stringify([file, format, target, module, moduleResolution, strict]);
    if (!parsed.has(key)) parsed.set(key, getSourceFile(file, how, ...rest));
    return parsed.get(key);
  };
  return host;
}

const format = (problems: readonly ts.Diagnostic[], directory: string): string =>
  ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => directory,
    getNewLine: () => '\n',
  });

/**
 * Compiles an application as `tsc -p` does.
 *
 * @returns the problems that the compiler found, one per line
 */
export function compile(directory: string): string {
  const settings = settingsOf(join(directory, 'tsconfig.json'), directory);
  const { options, fileNames, errors } = settings;
  const program = ts.createProgram(fileNames, options, createHost(options));
  const problems = [...errors, ...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  return format(problems, directory);
}

/**
 * Compiles what is new or changed in a copy of the project into its `dist`, specs included, as `npm run build`
 * does. Of the rest it reads the types that the build of the project gave.
 *
 * @returns the problems that the compiler found, one per line
 */
export function compileChanges(directory: string): string {
  const { options } = settingsOf(join(directory, 'tsconfig.build.json'), directory);
  const isChanged = (file: string): boolean =>
    !existsSync(file) || readFileSync(join(directory, file), 'utf8') !== readFileSync(file, 'utf8');
  const host = createHost(options);
  host.resolveModuleNameLiterals = (literals, from, redirected, _options, source) =>
    literals.map((literal) => {
      const mode = ts.getModeForUsageLocation(source, literal, options);
      const found = ts.resolveModuleName(
        literal.text,
        from,
        options,
        host,
        undefined,
        redirected,
        mode,
      );
      const file = relative(directory, found.resolvedModule?.resolvedFileName ?? '');
      if (!file.startsWith('src/') || isChanged(file)) return found;
      const resolvedFileName = resolve(file.replace(/^src/, 'dist').replace(/\.ts$/, '.d.ts'));
      return { resolvedModule: { resolvedFileName, extension: ts.Extension.Dts } };
    });
  const changed = globSync('src/**/*.ts', { cwd: directory }).filter(isChanged);
  const program = ts.createProgram(
    changed.map((file) => join(directory, file)),
    options,
    host,
  );
  return format([...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics], directory);
}

/**
 * Compiles texts as if they stood in `src/`, in one go: a compiler reads the project for seconds.
 *
 * @param texts by the name of the file, below `src/`
 * @returns the complaints of the compiler, by the same names
 */
export function compileInProject(
  texts: Readonly<Record<string, string>>,
): Record<string, string[]> {
  const files = new Map(Object.entries(texts).map(([name, text]) => [resolve('src', name), text]));
  const { options } = settingsOf('tsconfig.json', resolve('.'));
  const host = createHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2024);
  };
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, rootDir: resolve('src'), noEmit: true },
    host,
  );
  const complaintsOf = (name: string): string[] => {
    const source = program.getSourceFile(resolve('src', name));
    if (source === undefined) throw new Error('the compiler did not see the text');
    return ts
      .getPreEmitDiagnostics(program, source)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  };
  return Object.fromEntries(Object.keys(texts).map((name) => [name, complaintsOf(name)]));
}
