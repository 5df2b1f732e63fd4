import type { OperationInfo } from '../routes/index.js';
import {
  DEFAULT_PAGE_SIZE,
  MAX_CURSOR_LENGTH,
  MAX_PAGE_SIZE,
  MAX_REASON_LENGTH,
  MAX_VALUE_LENGTH,
} from './revocation.dto.js';

const TEXT = { type: 'string', minLength: 1, maxLength: MAX_VALUE_LENGTH };
const NAMES = { jti: TEXT, sub: TEXT, sid: TEXT, kid: TEXT };
const SECONDS = { type: 'integer', minimum: 0, description: 'seconds since 1970' };
const REVOCATION = {
  title: 'Revocation',
  type: 'object',
  required: ['id', 'created_at'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    ...NAMES,
    before: SECONDS,
    reason: { type: 'string' },
    created_at: SECONDS,
    expires_at: SECONDS,
  },
};

/** `POST /admin/revocations` in the OpenAPI document. */
export const CREATE_REVOCATION: OperationInfo = {
  id: 'createRevocation',
  summary: 'Refuses all tokens of a name from now on.',
  description:
    'Exactly one of `jti`, `sub`, `sid` and `kid`. Effective everywhere within a second.',
  body: {
    required: true,
    content: {
      'application/json': {
        title: 'RevocationRequest',
        type: 'object',
        properties: {
          ...NAMES,
          before: {
            ...SECONDS,
            description: 'only tokens issued earlier, in seconds since 1970',
          },
          reason: { type: 'string', maxLength: MAX_REASON_LENGTH },
        },
        additionalProperties: false,
      },
    },
  },
  answers: { 201: { description: 'The revocation.', schema: REVOCATION } },
};

/** `GET /admin/revocations` in the OpenAPI document. */
export const LIST_REVOCATIONS: OperationInfo = {
  id: 'listRevocations',
  summary: 'Lists revocations, the oldest first.',
  query: {
    limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE },
    after: { ...TEXT, maxLength: MAX_CURSOR_LENGTH, description: '`next` of the page before' },
  },
  answers: {
    200: {
      description: 'A page.',
      schema: {
        title: 'Revocations',
        type: 'object',
        properties: {
          revocations: { type: 'array', items: REVOCATION },
          next: { type: 'string' },
        },
      },
    },
  },
  errors: { 400: ['body_malformed'] },
};

/** `DELETE /admin/revocations/{id}` in the OpenAPI document. */
export const UNDO_REVOCATION: OperationInfo = {
  id: 'undoRevocation',
  summary: 'Undoes a revocation.',
  answers: { 204: { description: 'It is undone.' } },
  errors: { 400: ['body_malformed'], 404: ['not_found'] },
};
