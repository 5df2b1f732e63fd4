/** The subtype names are those of RFC 6838 section 4.2 that occur. */
const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * True for `application/json` and types with the suffix `+json` (RFC 6839 section 3.1), with or without
 * parameters.
 *
 * @param contentType value of a `Content-Type` header
 */
export const isJsonMediaType = (contentType: string): boolean => JSON_MEDIA_TYPE.test(contentType);

/** Type and subtype of a `Content-Type` header, in lower case and without parameters. */
export const mediaType = (contentType: string | undefined): string | undefined =>
  contentType?.split(';', 1)[0]?.trim().toLowerCase();
