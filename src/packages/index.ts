export { GATEWAY_PACKAGES, missingPackage } from './missing-package.js';
export { packageVersion } from './package-version.js';
