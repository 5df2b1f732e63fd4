import type { OpenAPIObject } from '@nestjs/swagger';

type PathItem = OpenAPIObject['paths'][string];

/** One operation of the document: a method of a path. */
export type OperationObject = NonNullable<PathItem['get']>;

/** The methods that are documented. */
export const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'options'] as const;

/** The operations of a path. */
export const operationsOf = (item: PathItem): OperationObject[] =>
  METHODS.flatMap((method) => item[method] ?? []);

/** The security schemes of the document, by name. */
export type SecuritySchemes = NonNullable<
  NonNullable<OpenAPIObject['components']>['securitySchemes']
>;

/** Error codes by status. `4XX` stands for all of 400 to 499. */
export type ErrorCodes = Readonly<Record<string, readonly string[]>>;
