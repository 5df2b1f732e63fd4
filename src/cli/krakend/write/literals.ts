/** TypeScript that is written into a literal as it is. */
export class Code {
  constructor(readonly text: string) {}
}

/** Returns a string as a TypeScript literal. No character of the string can end the literal. */
export const quoteLiteral = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'").replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;

/** Returns a value as TypeScript. Members that are `undefined` are left out. */
export function toLiteral(value: unknown): string {
  if (value instanceof Code) return value.text;
  if (typeof value === 'string') return quoteLiteral(value);
  if (Array.isArray(value)) return `[${value.map(toLiteral).join(', ')}]`;
  if (value === null || typeof value !== 'object') return String(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.length === 0) return '{}';
  const name = (key: string): string =>
    /^[A-Za-z]\w*$/.test(key) ? key : `[${quoteLiteral(key)}]`;
  return `{ ${members.map(([key, member]) => `${name(key)}: ${toLiteral(member)}`).join(', ')} }`;
}

/** Makes text safe for a block comment. */
export const inComment = (text: string): string => text.replaceAll('*/', '* /');

/** Returns the names of the parameters in the path of an endpoint. */
export const parameters = (path: string): string[] => [
  ...new Set([...path.matchAll(/\{([\w-]+)\}/g)].map(([, name = '']) => name)),
];

/** Converts the name of a parameter to one for a path of Nest. */
export const parameterName = (name: string): string =>
  name.replaceAll(/-+(\w?)/g, (_dashes, next: string) => next.toUpperCase());

/** Name of the wildcard parameter of a path that ends in `*`. */
export const REST = 'rest';

/** Converts a path such as `/orders/{id}` to a path of Nest. */
export const nestPath = (path: string): string =>
  path
    .replace(/^\//, '')
    .replaceAll(/\{([\w-]+)\}/g, (_placeholder, name: string) => `:${parameterName(name)}`)
    .replace(/(^|\/)\*$/, `$1*${REST}`);

/** Returns a variable name for a parameter. It cannot clash with other names in the method. */
export const variable = (param: string): string => `${parameterName(param)}Param`;

/** Returns a backend path as an expression. Each parameter becomes one encoded segment. */
export function joinPath(path: string, names: readonly string[], hasRest: boolean): string {
  const filled = path.replaceAll(/\{([\w-]+)\}/g, (placeholder, name: string) =>
    names.includes(name) ? `\${pathSegment(${variable(name)})}` : placeholder,
  );
  const rest = hasRest
    ? filled.replace(/\*$/, `\${${variable(REST)}.map(pathSegment).join('/')}`)
    : filled;
  return rest === path ? quoteLiteral(path) : `\`${rest}\``;
}
