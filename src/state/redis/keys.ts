/** Returns the full name of a key. One hash tag for all: a script's keys have to be in one slot of a cluster. */
export const key = (name: string): string => `signet:{state}:${name}`;

/** Holds the schema number, i.e. that of the format of all other keys. */
export const SCHEMA_KEY = key('schema');
