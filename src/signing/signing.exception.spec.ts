import { describe, expect, it } from 'vitest';
import { SigningError, type SigningErrorCode } from '../core/sign/index.js';
import { SigningException } from './signing.exception.js';

describe('SigningException', () => {
  it.each<SigningErrorCode>(['sign_target_missing', 'sign_target_invalid', 'claims_expired'])(
    'is a 502 %s with a description of its own and the exact reason',
    (code) => {
      const { details } = new SigningException(new SigningError(code, 'the reason'));
      expect(details).toMatchObject({
        status: 502,
        error: 'server_error',
        code,
        description: expect.stringMatching(/^[A-Z].*\.$/) as string,
        explanation: 'the reason',
      });
    },
  );
});
