/** An answer of Node or Express, or one of Fastify. */
interface Answer {
  setHeader?(name: string, value: string): unknown;
  appendHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
}

/** Sets a header of an answer that is not sent yet, on any platform. */
export function setResponseHeader(response: object, name: string, value: string): void {
  const answer = response as Answer;
  if (answer.setHeader === undefined) answer.header?.(name, value);
  else answer.setHeader(name, value);
}

/** Adds a cookie to an answer that is not sent yet, on any platform. */
export function addCookie(response: object, cookie: string): void {
  const answer = response as Answer;
  // Fastify keeps all cookies that are set.
  if (answer.appendHeader === undefined) answer.header?.('Set-Cookie', cookie);
  else answer.appendHeader('Set-Cookie', cookie);
}
