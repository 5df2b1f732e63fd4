import type { OpenAPIObject } from '@nestjs/swagger';

/** The groups of the gateway's own routes, in the order in which a person needs them. */
const GROUPS: readonly (readonly [name: string, paths: RegExp | undefined])[] = [
  ['Token', /^\/token(?:\/|$)/],
  ['Sessions', /^\/(?:sessions|logout)(?:\/|$)/],
  // Routes of the application, each in the group that it has.
  ['', undefined],
  ['Discovery', /^\/\.well-known\//],
  ['Health', /^\/health\//],
  ['Administration', /^\/admin\//],
  ['Explain', /^\/_explain$/],
];
const OWN = GROUPS.findIndex(([, paths]) => paths === undefined);

const groupOf = (path: string): number => {
  const found = GROUPS.findIndex(([, paths]) => paths?.test(path) === true);
  return found < 0 ? OWN : found;
};

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
  document.tags = [...new Set(names)].map((name) => ({ name }));
  return document;
}
