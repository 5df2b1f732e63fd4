import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf } from './document-types.js';

/**
 * Removes schemas without members that nothing refers to. `@nestjs/swagger` adds one for each class whose members have
 * no decorators.
 */
export function dropEmptySchemas({ paths, components }: OpenAPIObject): void {
  const used = JSON.stringify([paths, components]);
  for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
    const empty = 'properties' in schema && Object.keys(schema.properties ?? {}).length === 0;
    if (empty && !used.includes(`"#/components/schemas/${name}"`))
      delete components?.schemas?.[name];
  }
}

interface TitledSchema {
  readonly title?: string;
}

/**
 * Moves schemas with a `title` into the components, so that generated clients have a type of that name. Equal schemas
 * become one component; different ones of the same title get a number.
 */
export function nameSchemas({ paths, components = {} }: OpenAPIObject): void {
  const schemas = (components.schemas ??= {}) as Record<string, unknown>;
  const named = (title: string, schema: object): string => {
    const text = JSON.stringify(schema);
    for (let number = 1; ; number++) {
      const name = number === 1 ? title : `${title}${number}`;
      schemas[name] ??= schema;
      if (JSON.stringify(schemas[name]) === text) return name;
    }
  };
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(
      Object.entries(value).map(([member, inner]) => [member, visit(inner)]),
    );
    const { title, ...schema } = copy as TitledSchema;
    return typeof title === 'string' && 'type' in schema
      ? { $ref: `#/components/schemas/${named(title, schema)}` }
      : copy;
  };
  for (const item of Object.values(paths))
    for (const operation of operationsOf(item)) {
      if (operation.requestBody !== undefined)
        operation.requestBody = visit(operation.requestBody) as typeof operation.requestBody;
      operation.responses = visit(operation.responses) as typeof operation.responses;
    }
}
