import { expect, it } from 'vitest';
import { readEnvironment } from './index.js';
import { warningsOf } from './warnings.js';

const PRODUCTION = {
  NODE_ENV: 'production',
  BACKEND_HOST: 'http://login',
  PUBLIC_URL: 'https://a.example',
  VALIDATOR_AUDIENCE: 'https://api.example',
};

const NONE = /^$/;

it.each<[Record<string, string>, RegExp]>([
  [{}, NONE],
  [{ EXPLAIN_PAGE: 'true' }, NONE],
  [{ EXPLAIN_PAGE: 'true', MANAGEMENT_HOST: '0.0.0.0' }, NONE],
  [{ ...PRODUCTION, EXPLAIN_PAGE: 'true' }, NONE],
  [{ ...PRODUCTION, EXPLAIN_PAGE: 'true', MANAGEMENT_HOST: '::1' }, NONE],
  [{ ...PRODUCTION, MANAGEMENT_HOST: '0.0.0.0' }, NONE],
  [
    { ...PRODUCTION, EXPLAIN_PAGE: 'true', MANAGEMENT_HOST: '0.0.0.0' },
    /whoever reaches MANAGEMENT_HOST/,
  ],
  [{ EXPLAIN_PAGE: 'true', MANAGEMENT_PORT: 'off' }, /needs MANAGEMENT_PORT/],
])('%j is warned of: %s', (variables, warning) => {
  expect(warningsOf(readEnvironment(variables)).join('\n')).toMatch(warning);
});
