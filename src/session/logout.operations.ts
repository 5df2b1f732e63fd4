import type { OperationInfo } from '../routes/index.js';

/** `POST /logout` in the OpenAPI document. */
export const END_SESSION: OperationInfo = {
  id: 'logOut',
  summary: "Ends the session of the request's token, everywhere.",
  description: 'Session cookies are cleared; they count only in requests of the same origin.',
  answers: { 204: { description: 'The session has ended.' } },
  errors: { 403: ['csrf_refused'] },
  takesToken: true,
};
