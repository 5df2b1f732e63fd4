export { BootError } from './boot.error.js';
export { isCodedError, RefusalError, type CodedError, type RefusalData } from './refusal.error.js';
export { suspendStackTraces } from './stack-traces.js';
export { TokenRefusedError, type TokenRefusalCode } from './token-refused.error.js';
