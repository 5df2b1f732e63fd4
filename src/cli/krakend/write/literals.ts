/** TypeScript that stands in a literal as it is. */
export class Code {
  constructor(readonly text: string) {}
}

/** A string as TypeScript; nothing in it can end the literal. */
export const quoteLiteral = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'").replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;

/** A value as TypeScript; members that are `undefined` are left out. */
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

/** Text that is safe in a block comment. */
export const inComment = (text: string): string => text.replaceAll('*/', '* /');

/** Names of the parameters of an endpoint's path. */
export const parameters = (path: string): string[] => [
  ...new Set([...path.matchAll(/\{([\w-]+)\}/g)].map(([, name = '']) => name)),
];

/** The name of a parameter as Nest writes it in a path. */
export const parameterName = (name: string): string =>
  name.replaceAll(/-+(\w?)/g, (_dashes, next: string) => next.toUpperCase());

/** The rest of a path that ends in `*`. */
export const REST = 'rest';

/** `/orders/{id}` as Nest writes it. */
export const nestPath = (path: string): string =>
  path
    .replace(/^\//, '')
    .replaceAll(/\{([\w-]+)\}/g, (_placeholder, name: string) => `:${parameterName(name)}`)
    .replace(/(^|\/)\*$/, `$1*${REST}`);

/** A parameter that cannot clash with anything else in the method. */
export const variable = (param: string): string => `${parameterName(param)}Param`;

/** A backend path as an expression: parameters become single, encoded segments. */
export function joinPath(path: string, names: readonly string[], hasRest: boolean): string {
  const filled = path.replaceAll(/\{([\w-]+)\}/g, (placeholder, name: string) =>
    names.includes(name) ? `\${pathSegment(${variable(name)})}` : placeholder,
  );
  const rest = hasRest
    ? filled.replace(/\*$/, `\${${variable(REST)}.map(pathSegment).join('/')}`)
    : filled;
  return rest === path ? quoteLiteral(path) : `\`${rest}\``;
}
