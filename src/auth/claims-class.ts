import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import type { ClaimsCheck } from '../core/verify/index.js';
import { BootError, TokenRefusedError } from '../core/errors/index.js';
import { isDeeperThan } from '../core/json/index.js';

/** Copying and validating go down by recursion. */
const MAX_NESTING = 100;

/**
 * Makes a check that claims fulfil a class with class-validator's decorators. It works on a copy, so the
 * class cannot change the claims.
 *
 * @throws BootError for a class that would check nothing
 */
export function compileClaimsCheck(target: Type<object>): ClaimsCheck {
  const rules = getMetadataStorage().getTargetValidationMetadatas(target, '', false, false);
  if (rules.length === 0)
    throw new BootError(
      `the class ${target.name} of 'claims' has no class-validator decorators, so it would check nothing`,
    );
  return async (claims) => {
    if (isDeeperThan(MAX_NESTING, claims))
      throw new TokenRefusedError(
        'claim_invalid',
        `the claims nest deeper than ${MAX_NESTING} levels`,
      );
    // Raw numbers become plain ones for the rules.
    const copy = JSON.parse(JSON.stringify(claims)) as object;
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
