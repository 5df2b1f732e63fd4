export {
  claimHeaderProblem,
  foldHeader,
  NEVER_FORWARDED,
  type BackendHeaders,
} from './backend-headers.js';
