/** Control characters, and those that change the order of what is shown (Unicode Bidi_Control, line separators). */
const INVISIBLE = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** A text in one line, whose characters are all seen: others may have written it, e.g. a kid of a key set. */
export const visible = (text: string): string =>
  text.replace(INVISIBLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The same for an argument of the log: a text, or a line whose members are texts. */
export function visibleArgument(argument: unknown): unknown {
  if (typeof argument === 'string') return visible(argument);
  if (typeof argument !== 'object' || argument === null || argument instanceof Error)
    return argument;
  // Hardly ever is there anything to change, and each request has a line.
  let changed: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(argument)) {
    const shown = typeof value === 'string' ? visible(value) : value;
    if (shown !== value) (changed ??= { ...argument })[name] = shown;
  }
  return changed ?? argument;
}
