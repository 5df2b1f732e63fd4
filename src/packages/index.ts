export { GATEWAY_PACKAGES, missingPackage } from './missing-package.js';
