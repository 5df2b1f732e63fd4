import express from 'express';
import { describe, expect, it } from 'vitest';
import { allowedMethods, type RoutedApplication } from './allowed-methods.js';

const app = express();
const handler = (): void => undefined;
app.use(handler);
app.get('/a', handler);
app.post('/a', handler);
app.post('/only-post', handler);
app.head('/only-head', handler);
app.delete('/items/:id', handler);
app.patch('/items/:id', handler);
const allowed = (path: string): string[] =>
  allowedMethods(app as unknown as RoutedApplication, path).toSorted();

describe('allowedMethods', () => {
  it.each([
    ['/a', ['GET', 'HEAD', 'POST']],
    ['/A/', ['GET', 'HEAD', 'POST']],
    ['/only-post', ['POST']],
    ['/only-head', ['HEAD']],
    ['/items/7', ['DELETE', 'PATCH']],
    ['/items/%C3%A4', ['DELETE', 'PATCH']],
    ['/items', []],
    ['/items/7/8', []],
    ['/nope', []],
    ['', []],
  ])('of %s are %j', (path, methods) => {
    expect(allowed(path)).toEqual(methods);
  });

  it('of a path that is no valid percent-encoding are none', () => {
    expect(allowed('/items/%E0%A4%A')).toEqual([]);
  });
});
