import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
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
