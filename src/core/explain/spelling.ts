/** Why a text is no compact JWS, and the token that was probably meant. */
export interface Misspelling {
  readonly fix: string;
  /** The token to check instead; `undefined` if the text contains none. */
  readonly meant?: string;
}

const ASK_ABOUT =
  'unless its issuer can be asked about it (RFC 7662): the option introspection of AuthModule';

/**
 * Finds the probable mistake in a text that should be a token. Never quotes the text.
 *
 * @param hasIntrospection true if there is an introspection endpoint for tokens that are no JWS
 */
export function misspelling(text: string, hasIntrospection: boolean): Misspelling {
  const header = /^\s*authorization:\s*/i.exec(text)?.[0] ?? '';
  const rest = text.slice(header.length);
  if (/^\s*bearer\s+/i.test(rest))
    return {
      fix: 'give the token without "Bearer"; that word belongs into the Authorization header',
      meant: rest.replace(/^\s*bearer\s+/i, '').trim(),
    };
  if (header !== '')
    return {
      fix: 'a bare token in the Authorization header, as KrakenD takes it, is not looked at; send "Authorization: Bearer <token>"',
      meant: rest.trim(),
    };
  const bare = text.trim().replace(/^(["'`])(.*)\1$/s, '$2');
  if (bare !== text)
    return { fix: 'there are blanks, line breaks or quotes around the token', meant: bare };
  if (text.startsWith('{'))
    return {
      fix: 'this is JWS JSON (the option full of SigningModule makes it); a bearer token is the compact form, unless the option full of AuthModule is set, which takes JSON without blanks',
    };
  const parts = text.split('.');
  if (parts.length !== 3 && hasIntrospection)
    return {
      fix: 'a token that is no JWT is asked about only if it has nothing but the characters of RFC 6750 section 2.1, and is not too long',
    };
  if (parts.length === 5)
    return {
      fix: `this is an encrypted token (JWE); only signed ones (JWS) are accepted, ${ASK_ABOUT}`,
    };
  if (parts.length !== 3)
    return {
      fix: `a JWT has three parts; this may be a piece of one, or an opaque token, which is not accepted ${ASK_ABOUT}`,
    };
  if (parts.some((part) => part.includes('=')))
    return {
      fix: 'the parts have base64 padding; the issuer has to leave "=" out (RFC 7515 section 2)',
      meant: text.replaceAll('=', ''),
    };
  if (/[+/]/.test(text))
    return {
      fix: 'the parts are plain base64; the issuer has to use base64url (RFC 7515 section 2)',
      meant: text.replaceAll('+', '-').replaceAll('/', '_'),
    };
  if (/\s/.test(text))
    return {
      fix: 'there are blanks or line breaks inside of the token',
      meant: text.replaceAll(/\s/g, ''),
    };
  return {
    fix: 'the token was cut off or changed on its way; compare it with what the issuer sent',
  };
}
