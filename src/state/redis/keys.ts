/** One hash tag: all keys of a script have to be in one slot of a cluster. */
export const key = (name: string): string => `signet:{state}:${name}`;

/** Holds the number of the form in which everything else is kept. */
export const SCHEMA_KEY = key('schema');
