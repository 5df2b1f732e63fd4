import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf } from './document-types.js';

/** The groups of the gateway's routes, in the order of the document. */
const GROUPS: readonly (readonly [name: string, paths: RegExp | undefined, description: string])[] =
  [
    ['Token', /^\/token(?:\/|$)/, 'Log in, refresh, end and ask about tokens.'],
    ['Sessions', /^\/(?:sessions|logout)(?:\/|$)/, 'End the own sessions.'],
    // The place of the application's own routes, which keep their tags.
    ['', undefined, ''],
    ['Discovery', /^\/\.well-known\//, 'Public keys, and what clients need to know.'],
    ['Health', /^\/health\//, 'Probes.'],
    ['Administration', /^\/admin\//, 'Revocations and sessions of all users.'],
    ['Explain', /^\/_explain$/, 'Why a token is refused; in development.'],
  ];
const OWN = GROUPS.findIndex(([, paths]) => paths === undefined);

const groupOf = (path: string): number => {
  const found = GROUPS.findIndex(([, paths]) => paths?.test(path) === true);
  return found < 0 ? OWN : found;
};

/**
 * Gives each operation an id that is a good method name of a generated client, unless `@Operation` named it, and an
 * empty list of security schemes where it needs no token. Changes the document in place.
 */
export function nameOperations(document: OpenAPIObject): OpenAPIObject {
  const taken = new Set<string>();
  for (const [path, item] of Object.entries(document.paths))
    for (const operation of operationsOf(item)) {
      operation.security ??= [];
      operation.operationId = freeName(methodName(operation.operationId ?? ''), path, taken);
    }
  return document;
}

/** Converts `OrdersController_list` to `listOrders`. An id of another form is kept. */
function methodName(id: string): string {
  const [, controller = '', handler = ''] =
    /^(\w+?)(?:Controller)?_(\w+)(?:\[\d+\])?$/.exec(id) ?? [];
  return handler === '' ? id : handler.replace(/^\w/, (c) => c.toLowerCase()) + controller;
}

/** A name that is not taken: with the path parameters appended (`listOrdersById`), else with a number. */
function freeName(name: string, path: string, taken: Set<string>): string {
  const parameters = [...path.matchAll(/\{(\w)(\w*)\}/g)]
    .map(([, first = '', rest = '']) => `${first.toUpperCase()}${rest}`)
    .join('And');
  const candidates = [name, ...(parameters === '' ? [] : [`${name}By${parameters}`])];
  let free = candidates.find((candidate) => !taken.has(candidate));
  for (let number = 2; free === undefined; number++)
    if (!taken.has(`${name}${number}`)) free = `${name}${number}`;
  taken.add(free);
  return free;
}

/** Sorts the operations of the gateway's document into {@link GROUPS}. Changes the document in place. */
export function groupOperations(document: OpenAPIObject): OpenAPIObject {
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const group = groupOf(path);
    if (group !== OWN)
      for (const operation of operationsOf(item)) operation.tags = [GROUPS[group]?.[0] ?? ''];
    return { path, item, group };
  });
  paths.sort((a, b) => a.group - b.group || (a.path < b.path ? -1 : 1));
  document.paths = Object.fromEntries(paths.map(({ path, item }) => [path, item]));
  const names = paths.flatMap(({ item }) => operationsOf(item).flatMap(({ tags = [] }) => tags));
  document.tags = [...new Set(names)].map((name) => ({
    name,
    description: GROUPS.find(([group]) => group === name)?.[2] ?? `Routes of ${name}.`,
  }));
  return document;
}
