/** Variables as texts, e.g. `process.env`. */
export type RawEnvironment = Readonly<Record<string, string | undefined>>;

/** False for a variable that is unset or empty, which is the same. */
export const isGiven = (text: string | undefined): text is string =>
  text !== undefined && text.trim() !== '';
