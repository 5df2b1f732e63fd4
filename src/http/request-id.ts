import { randomUUID } from 'node:crypto';

/** Printable, short, and no JWT: whatever comes in is written to logs. */
const WELL_FORMED = /^(?!eyJ)[\w.:+/=@-]{1,128}$/;

/** The id of a request: the client's own when it is well-formed, else a fresh one. */
export const requestId = (incoming: string | string[] | undefined): string =>
  typeof incoming === 'string' && WELL_FORMED.test(incoming) ? incoming : randomUUID();
