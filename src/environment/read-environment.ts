import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { BootError } from '../core/errors/index.js';
import { crossChecks } from './cross-checks.js';
import { withDefaults } from './defaults.js';
import { Environment } from './environment.js';

/**
 * The environment, typed and with defaults.
 *
 * @param raw default: `process.env`
 * @throws BootError with all problems at once, one line each, by variable name and without values
 */
export function readEnvironment(
  raw: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const environment = plainToInstance(Environment, withDefaults(raw));
  const problems = validateSync(environment).flatMap(({ constraints = {} }) =>
    Object.values(constraints).slice(0, 1),
  );
  problems.push(...crossChecks(environment, raw));
  if (problems.length > 0) throw new BootError(problems);
  return environment;
}

/** For `ConfigModule`: checks what it has read, and leaves it as it is. */
export function validateEnvironment(raw: Record<string, unknown>): Record<string, unknown> {
  readEnvironment(raw as Record<string, string | undefined>);
  return raw;
}
