let millisecond = 0;
let member = '';

/** The member `time` of a log line (RFC 3339); lines of one millisecond share the text. */
export function isoTime(): string {
  const now = Date.now();
  if (now !== millisecond) {
    millisecond = now;
    member = `,"time":"${new Date(now).toISOString()}"`;
  }
  return member;
}
