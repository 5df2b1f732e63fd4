// Every option that KrakenD documents, in a configuration: imported, compiled, booted. Nothing is open that was not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkImport } from '../../src/cli/krakend/check-import.js';
import { importConfig, type ImportedConfig } from '../../src/cli/krakend/import-config.js';
import { OPTION_TABLE, type OptionRow } from '../../src/cli/krakend/option-table.js';
import { createCertificate } from '../helpers/network/certificate.js';
import { call } from '../helpers/network/http.js';
import { hs256, writeKeys } from '../helpers/issuers/keys.js';
import { BEFORE, sampleEndpoint, VALUES } from '../helpers/krakend/krakend-options.js';
import { endpoint, krakend, playground, SECRET, VALIDATOR } from '../helpers/krakend/krakend.js';

type Members = Record<string, unknown>;
const KEYS = writeKeys(['sim2', 'other'].map((kid) => ({ kty: 'oct', k: SECRET, kid })));
const TOKEN = hs256(
  SECRET,
  { alg: 'HS256', kid: 'sim2', typ: 'JWT' },
  {
    aud: 'http://api.example.com',
    exp: 2_051_882_755,
    iss: 'https://krakend.io',
    roles: ['role_a'],
    sub: 'u',
  },
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-options-'));
  writeFileSync(join(folder, 'ca.pem'), createCertificate('127.0.0.1').cert);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const titleOf = ({ scope, name }: OptionRow): string => `${scope} ${name}`;
const sampleOf = (row: OptionRow): Members => ({
  [row.name.replace(/\*$/, 'sample')]: titleOf(row) in VALUES ? VALUES[titleOf(row)] : { any: 1 },
});
/** The sample of what has parts may be one that is refused. */
const isRefused = (row: OptionRow): boolean =>
  row.fate === 'refused' || titleOf(row) === 'backend extra_config';
/** Those that stand in a file together with others of the service. */
const isOfService = ({ scope }: OptionRow): boolean =>
  scope.startsWith('service') || scope in SERVICE_COMPONENTS;
const SERVICE_COMPONENTS: Partial<Record<string, Members>> = {
  'auth/revoker': {},
  'security/cors': {},
  router: {},
  'telemetry/logging': {},
};
const merged = (rows: readonly OptionRow[]): Members => Object.assign({}, ...rows.map(sampleOf));

/** The answer of every route, with a good token and without one, in development and in production. */
async function answers(imported: ImportedConfig, routes: readonly Route[]) {
  const found: Record<string, unknown>[] = [];
  const { problems } = await checkImport(imported, folder, async (root: DynamicModule) => {
    const app = await NestFactory.create(root, {
      logger: false,
      abortOnError: false,
      bodyParser: false,
      routeConflictPolicy: { duplicate: 'error' },
    });
    await app.listen(0, '127.0.0.1');
    const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    const answer: Record<string, unknown> = {};
    for (const { method, path, title } of routes) {
      const ask = async (headers: Record<string, string> = {}) => {
        const { status, json } = await call(`${url}${path}`, { method, headers });
        return [status, json.code];
      };
      answer[title] = [await ask(), await ask({ authorization: `Bearer ${TOKEN}` })];
    }
    found.push(answer);
    await app.close();
  });
  expect(problems).toEqual([]);
  expect(found).toHaveLength(2);
  return found;
}

interface Route {
  method: string;
  path: string;
  title: string;
}
const REFUSED = [
  [403, 'not_imported'],
  [403, 'not_imported'],
];

const read = (config: object): Promise<ImportedConfig> =>
  importConfig(
    JSON.stringify(config)
      .replaceAll(VALIDATOR.jwk_local_path, KEYS)
      .replaceAll('ca.pem', join(folder, 'ca.pem')),
    'krakend.json',
  );

describe('every option of the table', () => {
  it('in one file: what is refused stays refused, what was guarded is guarded', async () => {
    const rows = OPTION_TABLE.filter((row) => !isOfService(row));
    const endpoints = rows.map((row, index) => {
      const members = sampleOf(row);
      // Paths are unique.
      const path = `/row/${index}`;
      if (row.scope === 'endpoint' && row.name === 'endpoint') members.endpoint = path;
      return sampleEndpoint(path, row.scope, members);
    });
    const ofService = OPTION_TABLE.filter(
      (row) => isOfService(row) && row.fate !== 'refused' && row.name !== 'endpoints',
    );
    const of = (scope: string): readonly OptionRow[] =>
      ofService.filter((row) => row.scope === scope && row.name !== 'extra_config');
    const components = Object.keys(SERVICE_COMPONENTS).map((name) => [
      name,
      { ...BEFORE[name as OptionRow['scope']], ...merged(of(name)) },
    ]);
    const imported = await read(
      krakend(endpoints, {
        ...merged(of('service')),
        extra_config: {
          ...merged(of('service extra_config')),
          ...(Object.fromEntries(components) as Members),
        },
      }),
    );
    const leftOut = rows.filter(({ fate }) => fate === 'leftOut').length;
    expect(imported.counts).toEqual({
      endpoints: rows.length,
      takenOver: rows.length - leftOut,
      refused: rows.filter(isRefused).length,
      leftOut,
    });
    const routes = rows.flatMap((row, index): (Route & { isRefused: boolean })[] => {
      const { extra_config: extra, method = 'GET' } = endpoints[index] as {
        extra_config: Members;
        method?: string;
      };
      const isGuarded = isRefused(row) || 'auth/validator' in extra;
      return row.fate === 'leftOut' || !isGuarded
        ? []
        : [
            {
              method,
              path: `/row/${index}`,
              title: `${index} ${titleOf(row)}`,
              isRefused: isRefused(row),
            },
          ];
    });
    const found = await answers(imported, routes);
    for (const answer of found) {
      const answersOf = (refused: boolean): [string, unknown][] =>
        routes
          .filter(({ isRefused: isOne }) => isOne === refused)
          .map(({ title }) => [title, answer[title]]);
      expect(answersOf(true)).toEqual(answersOf(true).map(([title]) => [title, REFUSED]));
      const withoutToken = answersOf(false).map(([title, asked]) => [
        title,
        (asked as unknown[])[0],
      ]);
      expect(withoutToken).toEqual(
        answersOf(false).map(([title]) => [title, [401, 'token_missing']]),
      );
    }
  });

  it.each(
    OPTION_TABLE.filter((row) => isOfService(row) && row.fate === 'refused').map(
      (row) => [titleOf(row), row] as const,
    ),
  )('%s refuses every route, those of the gateway, too', async (_title, row) => {
    const config = playground();
    const imported = await read({
      ...config,
      endpoints: [...(config.endpoints as object[]), endpoint('/open')],
      extra_config: sampleOf(row),
    });
    const routes = [
      { method: 'POST', path: '/token', title: 'token' },
      { method: 'GET', path: '/private/custom', title: 'custom' },
      { method: 'GET', path: '/open', title: 'open' },
    ];
    const refused = { token: REFUSED, custom: REFUSED, open: REFUSED };
    expect(await answers(imported, routes)).toEqual([refused, refused]);
  });
});

describe('what is no option', () => {
  it('refuses its route: expressions, policies, and components of others', async () => {
    const guarded = { 'auth/validator': VALIDATOR };
    const extras: [string, Members][] = [
      [
        'CEL on requests',
        { ...guarded, 'validation/cel': [{ check_expr: "req_method == 'GET'" }] },
      ],
      ['CEL without a token', { 'validation/cel': [{ check_expr: "JWT.a == 'b'" }] }],
      [
        'CEL with a negation',
        { ...guarded, 'validation/cel': [{ check_expr: "!(JWT.a == 'b')" }] },
      ],
      ['CEL that is none', { ...guarded, 'validation/cel': { a: 1 } }],
      ['policies of requests', { ...guarded, 'security/policies': { req: { policies: ['x'] } } }],
      [
        'policies without a token',
        { 'security/policies': { jwt: { policies: ["JWT.a == 'b'"] } } },
      ],
      ['policies that are none', { ...guarded, 'security/policies': [] }],
      ['an IP filter', { 'plugin/req-resp-modifier': { name: ['ip-filter'], 'ip-filter': {} } }],
      ['a script by its old name', { 'github.com/devopsfaith/krakend-lua/proxy': {} }],
      ['somebody’s component', { 'acme/guard': {} }],
    ];
    const endpoints = extras.map(([, extra], index) => endpoint(`/extra/${index}`, extra));
    const imported = await read(krakend(endpoints));
    const routes = extras.map(([title], index) => ({
      method: 'GET',
      path: `/extra/${index}`,
      title,
    }));
    const refused = Object.fromEntries(extras.map(([title]) => [title, REFUSED]));
    expect(await answers(imported, routes)).toEqual([refused, refused]);
  });
});
