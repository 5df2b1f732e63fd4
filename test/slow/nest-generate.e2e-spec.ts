import { execFile, spawn } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { call } from '../helpers/http.js';
import { kill, tempFolder, track } from '../helpers/resources.js';

const NODE_MODULES = resolve('node_modules');
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };

it('nest g resource makes a module that compiles, is wired in, and answers', async () => {
  const cwd = tempFolder('generate');
  for (const name of [
    'src',
    'package.json',
    'nest-cli.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ])
    cpSync(name, join(cwd, name), { recursive: true });
  symlinkSync(NODE_MODULES, join(cwd, 'node_modules'));
  const run = (script: string, ...args: string[]) =>
    promisify(execFile)(process.execPath, [join(NODE_MODULES, script), ...args], { cwd, env });

  const nest = '@nestjs/cli/bin/nest.js';
  const { stdout } = await run(nest, 'g', 'resource', 'orders', '--type', 'rest', '--crud');
  expect(stdout).toContain('UPDATE src/app.module.ts');
  expect(stdout).not.toContain('.spec.ts');
  await run('typescript/bin/tsc', '-p', 'tsconfig.build.json');

  const child = track(
    spawn(process.execPath, ['dist/main.js'], {
      cwd,
      env: { ...env, PORT: '0', HOST: '127.0.0.1', MANAGEMENT_PORT: 'off' },
    }),
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  try {
    await expect.poll(() => output, { timeout: 20_000 }).toMatch(/Listening on http:/);
    const url = /Listening on (http:\/\/[\d.:]+)/.exec(output)?.[1] ?? '';
    expect((await call(`${url}/orders/7`)).text).toBe('This action returns a #7 order');
  } finally {
    await kill(child);
  }
}, 150_000);
