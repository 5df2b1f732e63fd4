import { describe, expect, it } from 'vitest';
import { krakend } from '../../../test/helpers/krakend/krakend.js';
import { BEFORE, sampleEndpoint, VALUES } from '../../../test/helpers/krakend/krakend-options.js';
import { importConfig, type ImportedConfig } from './import-config.js';
import { componentName, OPTION_TABLE, type OptionRow, type OptionScope } from './option-table.js';

type Members = Record<string, unknown>;
/** A configuration with one endpoint, and with an option in its place. */
const withSample = (scope: OptionScope, members: Members): Members => {
  const of = (target: OptionScope): Members => (scope === target ? members : {});
  const service = ['auth/revoker', 'security/cors', 'router', 'telemetry/logging'];
  return krakend([sampleEndpoint('/a', scope, members)], {
    host: ['http://shop'],
    ...of('service'),
    ...(service.includes(scope)
      ? { extra_config: { [scope]: { ...BEFORE[scope], ...members } } }
      : {}),
    ...(scope === 'service extra_config' ? { extra_config: members } : {}),
  });
};

/** `own` comes last, so that an `endpoints` in it replaces that of `config`. */
const translate = (config: Members, own?: Members): Promise<ImportedConfig> =>
  importConfig(JSON.stringify({ ...config, ...own }), 'krakend.json');

const of = async ({ scope, name }: OptionRow, sample: unknown): Promise<ImportedConfig[]> => {
  const full = name.replace(/\*$/, 'sample');
  const own = scope === 'service' && name === 'endpoints' ? { endpoints: sample } : {};
  return Promise.all([
    translate(withSample(scope, {})),
    translate(withSample(scope, { [full]: sample }), own),
  ]);
};

const title = ({ scope, name }: OptionRow): string => `${scope} ${name}`;
const rowsOf = (...fates: string[]): [string, OptionRow][] =>
  OPTION_TABLE.filter(({ fate }) => fates.includes(fate)).map((row) => [title(row), row]);

describe('each option of KrakenD', () => {
  it('is in the table once', () => {
    expect(new Set(OPTION_TABLE.map(title)).size).toBe(OPTION_TABLE.length);
  });

  it.each(rowsOf('none'))(
    '%s changes nothing, and nothing is said about it',
    async (_title, row) => {
      const [before, after] = await of(row, VALUES[title(row)] ?? { any: 1 });
      // A defect of KrakenD may come with it.
      expect({ ...after, defects: [] }).toEqual({ ...before, defects: [] });
    },
  );

  it.each(rowsOf('differs', 'todo'))('%s is told', async (_title, row) => {
    const [, after] = await of(row, VALUES[title(row)] ?? { any: 1 });
    const section = after?.[row.fate as 'differs' | 'todo'] ?? [];
    const isThere = section.some(({ matter }) => matter.includes(row.here));
    expect([isThere, after?.counts.takenOver]).toEqual([true, 1]);
  });

  it.each(rowsOf('refused'))('%s refuses the routes', async (_title, row) => {
    const [before, after] = await of(row, { any: 1 });
    expect(before?.counts).toMatchObject({ takenOver: 1, refused: 0 });
    expect(after?.counts).toMatchObject({ takenOver: 1, refused: 1 });
    expect(after?.refused).toEqual([
      { matter: expect.stringContaining(row.here) as unknown, routes: ['GET /a'] },
    ]);
    expect(after?.controllers).toContain('@UseGuards(NotImportedGuard)');
  });

  it.each(rowsOf('leftOut'))('%s is left out, with a line', async (_title, row) => {
    const [, after] = await of(row, { any: 1 });
    expect(JSON.stringify(after?.leftOut)).toContain(row.here);
    expect(after?.counts.leftOut).toBe(row.scope.startsWith('service') ? 0 : 1);
  });

  it.each(rowsOf('taken'))('%s is taken over', async (_title, row) => {
    expect(title(row) in VALUES, 'the test knows a value of it').toBe(true);
    const sample = VALUES[title(row)];
    // The option has no meaning without others.
    if (sample === undefined) return;
    const [before, after] = await of(row, sample);
    expect(after).not.toEqual(before);
    expect(after?.unknown).toEqual([]);
  });
});

describe('an unknown component', () => {
  it.each<[string, OptionScope]>([
    ['of the service', 'service extra_config'],
    ['of an endpoint', 'endpoint extra_config'],
    ['of a backend', 'backend extra_config'],
  ])('%s refuses the routes, since it may protect them', async (_title, scope) => {
    const { counts } = await translate(withSample(scope, { 'acme/guard': {} }));
    expect(counts.refused).toBe(1);
  });
});

describe('names of version 2', () => {
  it.each([
    ['github.com/devopsfaith/krakend-jose/validator', 'auth/validator'],
    ['github_com/devopsfaith/bloomfilter', 'auth/revoker'],
    ['github.com/devopsfaith/bloomfilter', 'auth/revoker'],
    ['github_com/devopsfaith/krakend-cors', 'security/cors'],
    ['github.com/devopsfaith/krakend-ratelimit/juju/router', 'qos/ratelimit/router'],
    ['github.com/devopsfaith/krakend/proxy', 'proxy'],
    ['github_com/luraproject/lura/router/gin', 'router'],
    ['github.com/devopsfaith/krakend-cel', 'validation/cel'],
    ['github.com/letgoapp/krakend-influx', 'telemetry/influx'],
    ['github.com/somebody/else', 'github.com/somebody/else'],
    ['auth/validator', 'auth/validator'],
  ])('%s is %s', (old, name) => {
    expect(componentName(old)).toBe(name);
  });
});
