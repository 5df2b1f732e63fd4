export { BootError } from './boot.error.js';
export { isCodedError, RefusalError, type CodedError, type RefusalData } from './refusal.error.js';
export { suspendStackTraces } from './stack-traces.js';
export { TokenRefusedError, type TokenRefusalCode } from './token-refused.error.js';

/** The oldest Node.js that undici, `node:tls` and `JSON.rawJSON` allow. An older one only reports a failed import. */
const OLDEST_NODE = [22, 19] as const;

// Each export of the package imports this file first, so the check runs before any code that needs this version.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
  throw new Error(
    `nest-signet needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.version}`,
  );
