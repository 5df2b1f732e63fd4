import { expect, it } from 'vitest';
import { withoutForwardedPorts } from './forwarded-for.js';

it.each([
  ['1.2.3.4', '1.2.3.4'],
  ['1.2.3.4:1111', '1.2.3.4'],
  ['1.2.3.4:1111, 5.6.7.8:2', '1.2.3.4, 5.6.7.8'],
  ['1.2.3.4:1,2001:db8::1', '1.2.3.4, 2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['unknown:80, _hidden', 'unknown:80, _hidden'],
  ['', ''],
  [undefined, undefined],
])('%j becomes %j', (value, expected) => {
  const headers = { 'x-forwarded-for': value };
  withoutForwardedPorts({ headers });
  expect(headers['x-forwarded-for']).toBe(expected);
});
