import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';

/**
 * Compiles a text as if it stood in `src/`.
 *
 * @param name of the file, below `src/`
 * @returns the complaints of the compiler
 */
export function compileInProject(name: string, text: string): string[] {
  const file = resolve('src', name);
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2024)
      : getSourceFile(path, ...rest);
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (path) => path === file || fileExists(path);
  const program = ts.createProgram(
    [file],
    { ...options, rootDir: resolve('src'), noEmit: true },
    host,
  );
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error('the compiler did not see the text');
  return ts
    .getPreEmitDiagnostics(program, source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
