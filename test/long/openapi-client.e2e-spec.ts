import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { keptInstall } from '../helpers/apps/kept-install.js';

/** What tools make of the OpenAPI document: redocly's linter, and a client of generated types. */

const run = promisify(execFile);
/** As somebody writes it who has only the document. A wrong name or type does not compile. */
const CLIENT = `
import createClient from 'openapi-fetch';
import type { components, operations, paths } from './api.js';

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' });
const login: components['schemas']['TokenRequest'] = { username: 'alice', password: 'wonderland' };
const { data: tokens } = await client.POST('/token', { body: login });
const statuses: keyof operations['createToken']['responses'] = 200;
const token: string | undefined = tokens?.access_token;
const headers = { authorization: \`Bearer \${token}\` };
const own = await client.GET('/private/custom', { headers });
const refused = await client.GET('/private/custom');
const error: components['schemas']['Error'] | undefined = refused.response.status === 401
  ? (refused.error as components['schemas']['Error'])
  : undefined;
const { data: revocation } = await client.POST('/admin/revocations', {
  headers,
  body: { sub: 'somebody', reason: 'left' },
});
const undone = await client.DELETE('/admin/revocations/{id}', {
  headers,
  params: { path: { id: revocation?.id ?? '' } },
});
console.log(JSON.stringify({
  own: own.response.status === statuses,
  code: error?.code,
  sub: revocation?.sub,
  undone: undone.response.status,
}));
`;
const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [resolve('node_modules/@types')],
    outDir: 'out',
    rootDir: '.',
  },
  files: ['api.ts', 'client.ts'],
};

let gateway: Gateway;
let directory: string;
beforeAll(async () => {
  [directory, gateway] = await Promise.all([
    keptInstall(resolve('test/packages/consumers/openapi')),
    startGateway({ ADMIN_ROLES: 'role_a', STATE_STORE: 'memory:', SESSION_LIST: 'true' }),
  ]);
  writeFileSync(join(directory, 'openapi.json'), (await call(`${gateway.url}/docs-json`)).text);
  writeFileSync(join(directory, 'client.ts'), CLIENT);
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG));
}, 240_000);
afterAll(() => gateway?.stop());

const node = (...args: string[]): Promise<string> =>
  run(process.execPath, args, { cwd: directory }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: Record<string, string>) => expect.fail(`${stdout}\n${stderr}`),
  );

describe('the OpenAPI document', () => {
  it('has no errors for redocly', async () => {
    const env = {
      ...process.env,
      REDOCLY_TELEMETRY: 'off',
      REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    };
    const cli = 'node_modules/@redocly/cli/bin/cli.js';
    const { stdout } = await run(process.execPath, [cli, 'lint', '--format=json', 'openapi.json'], {
      cwd: directory,
      env,
    }).catch((error: { stdout: string }) => error);
    const { totals, problems } = JSON.parse(stdout) as {
      totals: { errors: number };
      problems: { severity: string; ruleId: string }[];
    };
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(totals.errors).toBe(0);
    // Documents that every client can read answer nothing but 200.
    expect(new Set(problems.map(({ ruleId }) => ruleId))).toEqual(
      new Set(['info-license', 'operation-4xx-response']),
    );
  });

  it('gives a client that compiles and works', async () => {
    await node('node_modules/openapi-typescript/bin/cli.js', 'openapi.json', '-o', 'api.ts');
    await node(resolve('node_modules/typescript/bin/tsc'), '-p', '.');
    expect(JSON.parse(await node('out/client.js', gateway.url))).toEqual({
      own: true,
      code: 'token_missing',
      sub: 'somebody',
      undone: 204,
    });
  });
});
