import type { Type } from '@nestjs/common';
import type { MetadataStorage, ValidationError } from 'class-validator';
import type { ClaimsCheck } from '../core/verify/index.js';
import { BootError, TokenRefusedError } from '../core/errors/index.js';
import { isDeeperThan } from '../core/json/index.js';
import { missingPackage } from '../packages/index.js';

/** Maximum nesting of claims, in levels: copying and validating are recursive. */
const MAX_NESTING = 100;

/**
 * A schema of a library that implements https://standardschema.dev: zod, valibot, arktype and others.
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
 * Returns a check that claims fulfil a schema or a class. It works on a copy, so that neither can change the claims.
 *
 * @throws BootError for a schema or class that would check nothing
 */
export function compileClaimsCheck(target: Type<object> | StandardSchema): ClaimsCheck {
  const check = typeof target === 'function' ? checkOfClass(target) : checkOfSchema(target);
  return async (claims) => {
    if (isDeeperThan(MAX_NESTING, claims))
      throw new TokenRefusedError(
        'claim_invalid',
        `the claims nest deeper than ${MAX_NESTING} levels`,
      );
    // The rules get plain numbers in place of JSON.rawJSON values.
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
    // The schema's own message is left out, since it may quote the value.
    throw new TokenRefusedError(
      'claim_invalid',
      path === ''
        ? 'the claims do not fulfil the schema'
        : `claim '${path}' does not fulfil the schema`,
    );
  };
}

/** The global in which class-validator keeps its metadata. All loaded copies of the package share it. */
const RULES = globalThis as { classValidatorMetadataStorage?: MetadataStorage };

/** The packages that check classes. Both are optional peer dependencies. */
let packages: Promise<Packages> | undefined;
type Packages = Pick<typeof import('class-validator'), 'validate'> &
  Pick<typeof import('class-transformer'), 'plainToInstance'>;

/**
 * Loads the packages that check classes. Called at boot, so that the boot reports a missing package.
 *
 * @throws BootError
 */
export function loadClassPackages(): Promise<Packages> {
  return (packages ??= Promise.all([import('class-validator'), import('class-transformer')]).then(
    ([{ validate }, { plainToInstance }]) => ({ validate, plainToInstance }),
    async (error: unknown) => {
      throw new BootError(
        `a class as 'claims' needs class-validator and class-transformer: ${(await missingPackage(error)) ?? 'they cannot be loaded'}`,
      );
    },
  ));
}

function checkOfClass(target: Type<object>): Check {
  const rules = RULES.classValidatorMetadataStorage?.getTargetValidationMetadatas(
    target,
    '',
    false,
    false,
  );
  if (rules === undefined || rules.length === 0)
    throw new BootError(
      `the class ${target.name} of 'claims' has no class-validator decorators, so it would check nothing`,
    );
  return async (copy) => {
    const { validate, plainToInstance } = await loadClassPackages();
    // Not validateSync, which treats an asynchronous rule as fulfilled.
    const [problem] = await validate(plainToInstance(target, copy), { stopAtFirstError: true });
    if (problem !== undefined) throw new TokenRefusedError('claim_invalid', describe(problem));
  };
}

/** Returns a message with the claim and the rule. It leaves out the value, which may be anything. */
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
