/** The wall clock in seconds since 1970, with its fraction (RFC 7519 section 2, NumericDate). */
export const epochSeconds = (): number => Date.now() / 1000;

/** The same in whole seconds, rounded down: what is written into tokens. */
export const nowSeconds = (): number => Math.floor(epochSeconds());
