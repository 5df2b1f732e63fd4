import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import type { ClaimsCheck } from '../core/verify/index.js';
import { BootError, TokenRefusedError } from '../core/errors/index.js';
import { isDeeperThan } from '../core/json/index.js';

/** Copying and validating go down by recursion. */
const MAX_NESTING = 100;

/**
 * A schema of a library that keeps to https://standardschema.dev: zod, valibot, arktype and others.
 */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
  };
}
type PathItem = PropertyKey | { readonly key: PropertyKey };
interface StandardResult {
  readonly issues?: readonly { readonly path?: readonly PathItem[] }[];
}

/**
 * Makes a check that claims fulfil a schema or a class; it works on a copy, so neither can change the claims.
 *
 * @throws BootError for what would check nothing
 */
export function compileClaimsCheck(target: Type<object> | StandardSchema): ClaimsCheck {
  const check = typeof target === 'function' ? checkOfClass(target) : checkOfSchema(target);
  return async (claims) => {
    if (isDeeperThan(MAX_NESTING, claims))
      throw new TokenRefusedError(
        'claim_invalid',
        `the claims nest deeper than ${MAX_NESTING} levels`,
      );
    // Raw numbers become plain ones for the rules.
    await check(JSON.parse(JSON.stringify(claims)) as object);
  };
}

type Check = (copy: object) => Promise<void>;

function checkOfSchema({ '~standard': standard }: Partial<StandardSchema>): Check {
  if (typeof standard?.validate !== 'function')
    throw new BootError("'claims' is neither a class nor a schema of https://standardschema.dev");
  return async (copy) => {
    const { issues: [issue] = [] } = await standard.validate(copy);
    if (issue === undefined) return;
    const path = (issue.path ?? [])
      .map((item) => String(typeof item === 'object' ? item.key : item))
      .join('.');
    // What the schema says may quote the value.
    throw new TokenRefusedError(
      'claim_invalid',
      path === ''
        ? 'the claims do not fulfil the schema'
        : `claim '${path}' does not fulfil the schema`,
    );
  };
}

function checkOfClass(target: Type<object>): Check {
  const rules = getMetadataStorage().getTargetValidationMetadatas(target, '', false, false);
  if (rules.length === 0)
    throw new BootError(
      `the class ${target.name} of 'claims' has no class-validator decorators, so it would check nothing`,
    );
  return async (copy) => {
    // Not validateSync, which takes an asynchronous rule as fulfilled.
    const [problem] = await validate(plainToInstance(target, copy), { stopAtFirstError: true });
    if (problem !== undefined) throw new TokenRefusedError('claim_invalid', describe(problem));
  };
}

/** Names the claim and the rule; values may be anything. */
function describe(problem: ValidationError): string {
  const path = [problem.property];
  let innermost = problem;
  for (let child = problem.children?.[0]; child !== undefined; child = child.children?.[0]) {
    path.push(child.property);
    innermost = child;
  }
  const [rule = 'a rule'] = Object.keys(innermost.constraints ?? {});
  return `claim '${path.join('.')}' does not fulfil ${rule}`;
}
