import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { compileInProject } from '../helpers/apps/compile.js';
import { blocksOf } from '../helpers/pages/manual.js';

/** Blocks that are run by no test, or run without their types: they compile, and do not with a mistake. */
const BLOCKS: Record<string, [block: () => string, right: string, wrong: string]> = {
  'a key provider': [
    () => blocksOf('keys', 'Keys in a vault or KMS', 'ts')[0],
    'publicOnly',
    'publik',
  ],
  'routes with a token per hop': [
    () => blocksOf('library', 'A token per hop', 'ts')[0],
    'hop: true',
    'hop: 1',
  ],
  'a resolver of tenants': [
    () => blocksOf('library', 'Tenants', 'ts')[0],
    '{ audience }',
    '{ audiance: audience }',
  ],
  'a route that passes requests on': [
    () => blocksOf('library', 'Pass requests on', 'ts')[0],
    "'no-op'",
    "'noop'",
  ],
  'the example of BackendClient': [
    () => {
      const source = readFileSync('src/backend/backend-client.service.ts', 'utf8');
      const [, block = ''] = /@example\n \* ```ts\n(.*?) \* ```/s.exec(source) ?? [];
      return `import { Module } from '@nestjs/common';
import type { AxiosError } from 'axios';
import { HttpService } from '@nestjs/axios';
import { BackendModule, BackendUnavailableException } from './backend/index.js';
${block.replaceAll(/^ \* ?/gm, '')}`;
    },
    'status === 503',
    "status === '503'",
  ],
};
const names = Object.keys(BLOCKS);
const fileOf = (name: string, kind: 'right' | 'wrong'): string =>
  `block${names.indexOf(name)}-${kind}.ts`;

let complaints: Record<string, string[]>;
beforeAll(() => {
  const texts = Object.entries(BLOCKS).flatMap(([name, [block, right, wrong]]) => [
    [fileOf(name, 'right'), block()],
    [fileOf(name, 'wrong'), block().replace(right, wrong)],
  ]);
  complaints = compileInProject(Object.fromEntries(texts) as Record<string, string>);
});

it.each(Object.entries(BLOCKS))(
  '%s compiles, and does not with a mistake in it',
  (name, [block, right]) => {
    expect(block()).toContain(right);
    expect(complaints[fileOf(name, 'right')]).toEqual([]);
    expect(complaints[fileOf(name, 'wrong')]).not.toEqual([]);
  },
);
