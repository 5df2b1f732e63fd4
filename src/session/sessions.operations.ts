import type { OperationInfo } from '../routes/index.js';
import { SESSIONS_SCHEMA } from './session-response.js';

const UNAVAILABLE = { 503: ['state_unavailable'] };

/** `GET /sessions` in the OpenAPI document. */
export const LIST_OWN_SESSIONS: OperationInfo = {
  id: 'listSessions',
  summary: "Lists the sessions of the token's user, the oldest login first.",
  answers: { 200: { description: 'The active sessions.', schema: SESSIONS_SCHEMA } },
  errors: UNAVAILABLE,
};

/** `DELETE /sessions/{sid}` in the OpenAPI document. */
export const END_OWN_SESSION: OperationInfo = {
  id: 'endSession',
  summary: "Ends one session of the token's user.",
  answers: { 204: { description: 'The session has ended.' } },
  errors: { 403: ['csrf_refused'], 404: ['not_found'], ...UNAVAILABLE },
};

/** `DELETE /sessions` in the OpenAPI document. */
export const END_OWN_SESSIONS: OperationInfo = {
  id: 'endSessions',
  summary: "Ends all sessions of the token's user, or all others.",
  query: {
    others: {
      type: 'boolean',
      enum: [true],
      description: 'the session of this token goes on',
    },
  },
  answers: { 204: { description: 'The sessions have ended.' } },
  errors: { 400: ['body_malformed'], 403: ['csrf_refused'], ...UNAVAILABLE },
};
