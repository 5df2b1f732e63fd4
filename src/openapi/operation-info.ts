import type { OperationInfo } from '../routes/index.js';
import type { OperationObject } from './document-types.js';

/** Adds the path parameters that `@nestjs/swagger` does not know: it reads `@Param()`, but no wildcards. */
export function addPathParameters(operation: OperationObject, path: string): void {
  const known = (operation.parameters ?? []).flatMap((parameter) =>
    'in' in parameter && parameter.in === 'path' ? [parameter.name] : [],
  );
  const missing = [...path.matchAll(/\{(\w+)\}/g)]
    .flatMap(([, name]) => name ?? [])
    .filter((name) => !known.includes(name));
  if (missing.length === 0) return;
  operation.parameters = [
    ...missing.map((name) => ({
      in: 'path' as const,
      name,
      required: true,
      schema: { type: 'string' as const },
    })),
    ...(operation.parameters ?? []),
  ];
}

/**
 * Writes id, summary, request body, query parameters and answers of `@Operation` into an operation. `completeFrom` adds
 * its description and errors, since other sources have some, too.
 */
export function addOperationInfo(operation: OperationObject, info: OperationInfo): void {
  if (info.id !== undefined) operation.operationId = info.id;
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
