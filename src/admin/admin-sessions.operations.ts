import type { OperationInfo } from '../routes/index.js';
import { SESSIONS_SCHEMA } from '../session/index.js';
import { MAX_VALUE_LENGTH } from './revocation.dto.js';

const TEXT = { type: 'string', minLength: 1, maxLength: MAX_VALUE_LENGTH };
const SUB = { ...TEXT, description: 'claim `sub` of the user' };

/** `GET /admin/sessions` in the OpenAPI document. */
export const LIST_SESSIONS_OF_USER: OperationInfo = {
  id: 'listSessionsOfUser',
  summary: 'Lists the sessions of a user, the oldest login first.',
  query: { sub: SUB },
  answers: { 200: { description: 'The active sessions.', schema: SESSIONS_SCHEMA } },
  errors: { 400: ['body_malformed'] },
};

/** `DELETE /admin/sessions` in the OpenAPI document. */
export const END_SESSIONS: OperationInfo = {
  id: 'endSessionsOfUser',
  summary: 'Ends all sessions of a user, or one.',
  description:
    'Tokens of the user that belong to no session are refused, too, unless `sid` is there.',
  query: { sub: SUB, sid: { ...TEXT, description: 'this session only' } },
  answers: { 204: { description: 'The sessions have ended.' } },
  errors: { 400: ['body_malformed'], 404: ['not_found'] },
};
