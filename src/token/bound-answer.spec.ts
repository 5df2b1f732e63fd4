import { expect, it } from 'vitest';
import { UnsignedAnswer } from '../signing/index.js';
import { boundTo } from './bound-answer.js';

it('what is signed in place of the fields of the route stays so', () => {
  const answer = new UnsignedAnswer({ access_token: {} }, {}, ['access_token']);
  expect(boundTo('a-thumbprint', answer)).toMatchObject({ fields: ['access_token'] });
});
