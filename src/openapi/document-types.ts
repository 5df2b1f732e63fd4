import type { OpenAPIObject } from '@nestjs/swagger';

/** One operation of the document: a method of a path. */
export type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** The security schemes of the document by name. */
export type SecuritySchemes = NonNullable<
  NonNullable<OpenAPIObject['components']>['securitySchemes']
>;

/** Error codes by status; `4XX` is the range. */
export type ErrorCodes = Readonly<Record<string, readonly string[]>>;
