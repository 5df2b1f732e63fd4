/** A string as TypeScript; nothing in it can end the literal. */
export const quoteLiteral = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'").replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;

/** A value as TypeScript; members that are `undefined` are left out. */
export function toLiteral(value: unknown): string {
  if (typeof value === 'string') return quoteLiteral(value);
  if (Array.isArray(value)) return `[${value.map(toLiteral).join(', ')}]`;
  if (value === null || typeof value !== 'object') return String(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.length === 0) return '{}';
  const name = (key: string): string =>
    /^[A-Za-z]\w*$/.test(key) ? key : `[${quoteLiteral(key)}]`;
  return `{ ${members.map(([key, member]) => `${name(key)}: ${toLiteral(member)}`).join(', ')} }`;
}

/** Names of the parameters of an endpoint's path. */
export const parameters = (path: string): string[] => [
  ...new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)),
];

/** A backend path as an expression: parameters become single, encoded segments. */
export function joinPath(
  path: string,
  names: readonly string[],
  variable: (name: string) => string,
): string {
  if (names.length === 0) return quoteLiteral(path);
  const filled = path.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) =>
    names.includes(name) ? `\${pathSegment(${variable(name)})}` : placeholder,
  );
  return `\`${filled}\``;
}
