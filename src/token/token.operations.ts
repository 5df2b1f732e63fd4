import type { OperationInfo } from '../routes/index.js';

const TOKEN_REQUEST = {
  title: 'TokenRequest',
  type: 'object',
  description: 'The backend reads what it needs; this is what it usually is.',
  properties: {
    grant_type: { type: 'string', example: 'password' },
    username: { type: 'string', example: 'alice' },
    password: { type: 'string', format: 'password', example: 'wonderland' },
    // Swagger UI fills in the word "string" where there is no example.
    scope: { type: 'string', example: '' },
    client_id: { type: 'string', example: '' },
    client_secret: { type: 'string', format: 'password', example: '' },
    refresh_token: { type: 'string', example: '', description: 'for grant_type=refresh_token' },
  },
  additionalProperties: true,
};

/** `POST /token` in the OpenAPI document. */
export const CREATE_TOKEN: OperationInfo = {
  id: 'createToken',
  summary: 'Log in: the claims that the backend decides come back as tokens.',
  description:
    'The body is optional and reaches the backend byte for byte. A proof in the header `DPoP` binds the tokens to its key (RFC 9449 section 5).',
  body: {
    content: {
      'application/x-www-form-urlencoded': TOKEN_REQUEST,
      'application/json': TOKEN_REQUEST,
    },
  },
  answers: {
    200: {
      description: "The backend's answer, signed (RFC 6749 section 5.1).",
      schema: {
        title: 'TokenResponse',
        type: 'object',
        properties: {
          token_type: { type: 'string', example: 'Bearer' },
          expires_in: { type: 'integer', description: 'seconds' },
        },
        additionalProperties: true,
      },
    },
  },
  errors: {
    400: [
      'parameter_repeated',
      'token_ambiguous',
      'grant_unsupported',
      'login_refused',
      'refresh_token_invalid',
      'refresh_token_reused',
      'dpop_proof_missing',
      'dpop_proof_invalid',
      'dpop_proof_mismatch',
      'dpop_proof_expired',
      'dpop_proof_reused',
      'dpop_nonce_needed',
      'dpop_key_mismatch',
      'client_ambiguous',
      'grant_not_allowed',
      'scope_not_granted',
      'target_unknown',
    ],
    401: ['client_unknown'],
    403: ['csrf_refused'],
    503: ['state_unavailable'],
  },
  callsBackend: true,
  endpoint: 'token',
};
