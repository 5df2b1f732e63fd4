import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

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
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  const host = ts.createCompilerHost(options);
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

/** Files of installed packages, which applications with the same options share: most of a compilation is to read them. */
const parsed = new Map<string, ts.SourceFile | undefined>();
const PACKAGES = ['node_modules', 'test/packages/node_modules'].map((path) => `${resolve(path)}/`);

/**
 * Compiles an application as `tsc -p` does.
 *
 * @returns the problems that the compiler found, one per line
 */
export function compile(directory: string): string {
  const path = join(directory, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as { config: object };
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(config, ts.sys, directory);
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
  const program = ts.createProgram(fileNames, options, host);
  const problems = [...errors, ...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  return ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => directory,
    getNewLine: () => '\n',
  });
}
