/** Returns the wall clock in seconds since 1970, with a fraction (RFC 7519 section 2, NumericDate). */
export const epochSeconds = (): number => Date.now() / 1000;

/** Returns the wall clock in whole seconds since 1970, rounded down, as it is written into tokens. */
export const nowSeconds = (): number => Math.floor(epochSeconds());
