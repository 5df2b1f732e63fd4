export {
  algorithmSpec,
  isJwsAlgorithm,
  isAsymmetric,
  isSameAlgorithm,
  JWS_ALGORITHMS,
  type JwsAlgorithm,
  type KeyType,
} from './algorithms.js';
export { decodeBase64url } from './base64url.js';
export { keyMisfit, type JwsKey } from './jws-key.js';
export {
  compactForm,
  flattenedForm,
  isCompactJws,
  MAX_TOKEN_LENGTH,
  parseCompact,
  type CompactJws,
  type JwsHeader,
} from './parse-compact.js';
export { signatureLength, signInput, verifySignature } from './signature.js';
