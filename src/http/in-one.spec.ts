import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { inOne } from './index.js';

const request = {} as IncomingMessage;
const response = {} as ServerResponse;

it('runs all steps in their order, then the last one, which goes on', () => {
  const events: string[] = [];
  const step = (name: string) => (_request: unknown, _response: unknown, next: () => void) => {
    events.push(name);
    next();
  };
  inOne([step('a'), step('b')], step('last'))(request, response, () => events.push('next'));
  expect(events).toEqual(['a', 'b', 'last', 'next']);
});

it('leaves it to the last one whether, when and with what the request goes on', () => {
  const error = new Error('refused');
  const ends: unknown[] = [];
  const middleware = inOne([], (_request, _response, next) => next(error));
  middleware(request, response, (thrown) => ends.push(thrown));
  expect(ends).toEqual([error]);
  inOne([], () => undefined)(request, response, (thrown) => ends.push(thrown));
  expect(ends).toHaveLength(1);
});
