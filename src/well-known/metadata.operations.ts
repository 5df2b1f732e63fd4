import type { OperationInfo } from '../routes/index.js';

const METADATA = {
  description: 'Server metadata.',
  schema: { title: 'ServerMetadata', type: 'object', additionalProperties: true },
};

/** `GET /.well-known/oauth-authorization-server` in the OpenAPI document. */
export const GET_SERVER_METADATA: OperationInfo = {
  id: 'getServerMetadata',
  summary: 'What clients need to know (RFC 8414).',
  answers: { 200: METADATA },
};

/** `GET /.well-known/openid-configuration` in the OpenAPI document. */
export const GET_OPENID_CONFIGURATION: OperationInfo = {
  id: 'getOpenidConfiguration',
  summary: 'The same, where OpenID Connect clients look for it.',
  answers: { 200: METADATA },
};

/** The same two with the path of the issuer. */
export const GET_SERVER_METADATA_OF_PATH: OperationInfo = {
  summary: 'The same for an issuer with a path.',
  answers: { 200: METADATA },
  hidden: true,
};
