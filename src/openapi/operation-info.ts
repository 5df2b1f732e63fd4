import type { OperationInfo } from '../routes/index.js';
import type { OperationObject } from './document-types.js';

/**
 * Writes what `@Operation` says into an operation: summary, request body, query parameters and
 * answers. Its description and errors are joined with those of other sources, see `completeDocument`.
 */
export function addOperationInfo(operation: OperationObject, info: OperationInfo): void {
  operation.summary ??= info.summary;
  if (info.body !== undefined)
    operation.requestBody = {
      required: info.body.required ?? false,
      content: Object.fromEntries(
        Object.entries(info.body.content).map(([type, schema]) => [type, { schema }]),
      ),
    };
  if (info.query !== undefined)
    operation.parameters = [
      ...(operation.parameters ?? []).filter(
        (parameter) => !('in' in parameter) || parameter.in !== 'query',
      ),
      ...Object.entries(info.query).map(([name, schema]) => ({
        in: 'query' as const,
        name,
        schema,
      })),
    ];
  for (const [status, { description, schema }] of Object.entries(info.answers ?? {}))
    operation.responses[status] = {
      description,
      ...(schema === undefined ? {} : { content: { 'application/json': { schema } } }),
    };
}
