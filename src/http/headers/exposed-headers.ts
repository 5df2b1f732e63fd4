/** Headers of answers that clients need. Scripts of other origins can read them only if they are exposed (CORS). */
export const EXPOSED_HEADERS = [
  'DPoP-Nonce',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
] as const;
