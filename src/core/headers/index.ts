export {
  claimHeaderProblem,
  foldHeader,
  NEVER_FORWARDED,
  otherCookies,
  SESSION_COOKIES,
  type BackendHeaders,
} from './backend-headers.js';
