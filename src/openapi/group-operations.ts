import type { OpenAPIObject } from '@nestjs/swagger';

/** The groups of the gateway's own routes, in the order in which a person needs them. */
const GROUPS: readonly (readonly [name: string, paths: RegExp | undefined, description: string])[] =
  [
    ['Token', /^\/token(?:\/|$)/, 'Log in, refresh, end and ask about tokens.'],
    ['Sessions', /^\/(?:sessions|logout)(?:\/|$)/, 'End the own sessions.'],
    // Routes of the application, each in the group that it has.
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
 * Gives every operation of the gateway's document what tools ask for: a name that makes a good method of a
 * client, unless it has one; and that it needs no token, where it needs none. Changes it in place.
 */
export function nameOperations(document: OpenAPIObject): OpenAPIObject {
  const taken = new Set<string>();
  for (const [path, item] of Object.entries(document.paths))
    for (const operation of [item.get, item.post, item.put, item.patch, item.delete]) {
      if (operation === undefined) continue;
      operation.security ??= [];
      operation.operationId = freeName(methodName(operation.operationId ?? ''), path, taken);
    }
  return document;
}

/** `OrdersController_list` is `listOrders`; a name without a controller stays. */
function methodName(id: string): string {
  const [, controller = '', handler = ''] =
    /^(\w+?)(?:Controller)?_(\w+)(?:\[\d+\])?$/.exec(id) ?? [];
  return handler === '' ? id : handler.replace(/^\w/, (c) => c.toLowerCase()) + controller;
}

/** A route with several paths: what its parameters are called tells them apart, else a number. */
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

/** Puts the operations of the gateway's document into groups, and these in order. Changes it in place. */
export function groupOperations(document: OpenAPIObject): OpenAPIObject {
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const group = groupOf(path);
    if (group !== OWN)
      for (const operation of [item.get, item.post, item.put, item.patch, item.delete])
        if (operation !== undefined) operation.tags = [GROUPS[group]?.[0] ?? ''];
    return { path, item, group };
  });
  // `/token` stands before what is below it.
  paths.sort((a, b) => a.group - b.group || (a.path < b.path ? -1 : 1));
  document.paths = Object.fromEntries(paths.map(({ path, item }) => [path, item]));
  const names = paths.flatMap(({ item }) =>
    [item.get, item.post, item.put, item.patch, item.delete].flatMap(
      (operation) => operation?.tags ?? [],
    ),
  );
  document.tags = [...new Set(names)].map((name) => ({
    name,
    description: GROUPS.find(([group]) => group === name)?.[2] ?? `Routes of ${name}.`,
  }));
  return document;
}
