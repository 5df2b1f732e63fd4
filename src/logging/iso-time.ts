let second = 0;
let upToSecond = '';
let millisecond = 0;
let member = '';

/** The member `time` of a log line, `,"time":"…"` (RFC 3339). The text is cached for the current millisecond. */
export function isoTime(): string {
  const now = Date.now();
  if (now === millisecond) return member;
  millisecond = now;
  const rest = now % 1000;
  if (now - rest !== second) {
    second = now - rest;
    upToSecond = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
  }
  member = `${upToSecond}${rest < 100 ? '0' : ''}${rest < 10 ? '0' : ''}${rest}Z"`;
  return member;
}
