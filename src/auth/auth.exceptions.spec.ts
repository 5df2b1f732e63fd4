import { describe, expect, it, vi } from 'vitest';
import type { TokenRefusalCode } from '../core/errors/index.js';
import { compilePolicy } from '../core/verify/index.js';
import { errorAnswer } from '../http/index.js';
import { tokenRefusal } from './auth.exceptions.js';

const OPTIONS = { algorithms: ['HS256' as const], issuer: 'i', audience: 'a' };
const POLICY = compilePolicy({ scopes: ['read'] }, { ...OPTIONS, dpop: true });
const refusal = (code: TokenRefusalCode, explanation = 'why') => ({ code, explanation });

describe('the prepared answer of a refusal', () => {
  it.each<TokenRefusalCode>([
    'token_missing',
    'token_ambiguous',
    'signature_invalid',
    'roles_missing',
    'insufficient_user_authentication',
    'dpop_nonce_needed',
  ])('%s: says what an answer says that is made for one request', (code) => {
    const { prepared, ...error } = tokenRefusal(refusal(code), POLICY, 'DPoP', 'https://g/m');
    const { headers, body } = errorAnswer(error, 'request-1');
    const id = 'request-1';
    expect(`${prepared?.start}${id}${prepared?.end}`).toBe(body);
    expect({
      ...Object.fromEntries(prepared?.headers ?? []),
      'Content-Length': String((prepared?.length ?? 0) + id.length),
      'X-Request-Id': id,
    }).toEqual(headers);
  });

  it('is made once, whatever the explanations are', () => {
    const first = tokenRefusal(refusal('roles_missing', 'one'), POLICY, 'Bearer', 'https://g/m');
    const stringify = vi.spyOn(JSON, 'stringify');
    const second = tokenRefusal(refusal('roles_missing', 'two'), POLICY, 'Bearer', 'https://g/m');
    expect(stringify).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(second.prepared).toBe(first.prepared);
    expect([first.explanation, second.explanation]).toEqual(['one', 'two']);
  });

  it('is another one for another code, scheme, URL of the metadata and route', () => {
    const other = compilePolicy({ scopes: ['write'] }, { ...OPTIONS, dpop: true });
    const made = [
      tokenRefusal(refusal('token_expired'), POLICY, 'Bearer', 'https://g/m'),
      tokenRefusal(refusal('scopes_missing'), POLICY, 'Bearer', 'https://g/m'),
      tokenRefusal(refusal('token_expired'), POLICY, 'DPoP', 'https://g/m'),
      tokenRefusal(refusal('token_expired'), POLICY, 'Bearer', 'https://g/n'),
      tokenRefusal(refusal('token_expired'), POLICY, 'Bearer'),
      tokenRefusal(refusal('token_expired'), other, 'Bearer', 'https://g/m'),
    ];
    const challenges = made.map(({ prepared }) => Object.fromEntries(prepared?.headers ?? []));
    expect(new Set(challenges.map((headers) => headers['WWW-Authenticate'])).size).toBe(6);
  });
});
