import type { OperationInfo } from '../routes/index.js';

/** `GET /private/custom` in the OpenAPI document. */
export const GET_CUSTOM: OperationInfo = {
  id: 'getCustom',
  summary: "The backend's JSON, for whoever has the role.",
  answers: { 200: { description: "The backend's answer, as it is.", schema: {} } },
  errors: { 403: ['claim_for_backend_missing'] },
  callsBackend: true,
};
