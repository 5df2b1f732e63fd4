import type { OperationInfo } from '../routes/index.js';

/** `GET /.well-known/oauth-protected-resource[/path]` in the OpenAPI document. */
export const GET_RESOURCE_METADATA: OperationInfo = {
  id: 'getResourceMetadata',
  summary: 'What a client needs to get a token for the routes at a path and below it (RFC 9728).',
  description: 'Challenges of those routes lead here (`resource_metadata`).',
  answers: {
    200: {
      description: 'Protected resource metadata.',
      schema: {
        title: 'ResourceMetadata',
        type: 'object',
        required: ['resource'],
        properties: { resource: { type: 'string', format: 'uri' } },
        additionalProperties: true,
      },
    },
  },
  errors: { 404: ['not_found'] },
};
