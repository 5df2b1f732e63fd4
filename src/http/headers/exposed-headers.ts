/** Headers of answers that a client has to read; scripts of other origins see no others (CORS). */
export const EXPOSED_HEADERS = [
  'DPoP-Nonce',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
] as const;
