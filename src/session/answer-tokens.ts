import { isJsonObject, parseJsonExactly } from '../core/json/index.js';

const COMPACT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** All tokens of a signed answer, at any depth. */
export function tokensIn(value: unknown): string[] {
  if (typeof value === 'string') return COMPACT.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(tokensIn);
  return isJsonObject(value) ? Object.values(value).flatMap(tokensIn) : [];
}

/** Claims of a token that was signed a moment ago. */
export function claimsOf(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.', 2);
  return parseJsonExactly(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

/**
 * An answer without its tokens, at any depth; in a list `null` takes their place. For pages whose scripts must not read
 * the tokens in the cookies.
 */
export function withoutTokens(answer: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const text = JSON.stringify(answer, (_name, value: unknown) =>
    typeof value === 'string' && COMPACT.test(value) ? undefined : value,
  );
  return parseJsonExactly(text) as Record<string, unknown>;
}
