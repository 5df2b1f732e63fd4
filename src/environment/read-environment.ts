import { Validator } from 'class-validator/cjs/validation/Validator.js';
import { BootError } from '../core/errors/index.js';
import { crossChecks } from './cross-checks.js';
import { readEnvFile } from './env-file.js';
import { Environment } from './environment.js';
import { isGiven, type RawEnvironment } from './raw-environment.js';
import { isServiceLink, unknownVariables } from './unknown-variables.js';
import { VARIABLES } from './variable.js';
import { warningsOf } from './warnings.js';

/** The environment of a process that boots. */
export interface LoadedEnvironment {
  readonly env: Environment;
  /** Lines for the log about settings that do not stop the boot. */
  readonly warnings: readonly string[];
}

/**
 * Reads `.env` and the environment of the process. It is called once per process, and the result is handed on. The
 * variables of `.env` are also written to `process.env`, since other software (OpenTelemetry, Express, the workers of a
 * cluster) reads them there.
 *
 * @param file a `.env` file that need not exist
 * @throws BootError with all problems at once, one line each, by variable name and without values
 */
export function loadEnvironment(file = '.env'): LoadedEnvironment {
  const { variables, problems } = readEnvFile(process.env, file);
  const { env, problems: wrong } = check(variables);
  const lines = [
    ...problems.map(({ text }) => text),
    // A variable whose line cannot be parsed is reported once, not a second time for its missing value.
    ...wrong
      .map(({ text }) => text)
      .filter((text) => !problems.some(({ name }) => text.startsWith(`${name} `))),
  ];
  if (lines.length > 0) throw new BootError(lines);
  Object.assign(process.env, variables, { NODE_ENV: env.NODE_ENV });
  return { env, warnings: [...unknownVariables(variables), ...warningsOf(env)] };
}

/**
 * Returns the environment, typed and with defaults.
 *
 * @throws BootError with all problems at once, one line each, by variable name and without values
 */
export function readEnvironment(raw: RawEnvironment): Environment {
  const { env, problems } = check(raw);
  if (problems.length > 0) throw new BootError(problems.map(({ text }) => text));
  return env;
}

/**
 * Returns one variable, typed and with its default. Wrong values of other variables are ignored.
 *
 * @throws BootError when its value is wrong
 */
export function readVariable<Name extends keyof Environment>(
  name: Name,
  raw: RawEnvironment,
): Environment[Name] {
  const { env, problems } = check(raw);
  const problem = problems.find((one) => one.name === name);
  if (problem !== undefined) throw new BootError(problem.text);
  return env[name];
}

interface Problem {
  /** The variable with the wrong value; `undefined` for a rule across variables. */
  name?: string;
  text: string;
}

function check(raw: RawEnvironment): { env: Environment; problems: Problem[] } {
  const env = parse(raw);
  const problems: Problem[] = new Validator()
    .validateSync(env)
    .map(({ property, constraints = {} }) => ({
      name: property,
      text: Object.values(constraints)[0] ?? property,
    }));
  followOthers(env);
  const strict = env.NODE_ENV === 'production' ? unknownVariables(raw) : [];
  for (const text of [...crossChecks(env, raw), ...strict]) problems.push({ text });
  return { env, problems };
}

/** Sets the variables whose default is the value of another one. Their values are not checked again. */
function followOthers(env: Environment): void {
  env.SIGNER_ISSUER ??= env.PUBLIC_URL ?? localUrl(env.PORT);
  if (env.VALIDATOR_ISSUER.length === 0) env.VALIDATOR_ISSUER = [env.SIGNER_ISSUER];
  const [audience] = env.VALIDATOR_AUDIENCE;
  // With another audience claim, or with none, `VALIDATOR_AUDIENCE` says nothing about `aud`.
  if (env.VALIDATOR_AUDIENCE_CLAIM === 'aud' && audience !== 'unchecked')
    env.SIGNER_AUDIENCE ??= audience;
}

const localUrl = (port: number): string => `http://localhost:${port}`;

/**
 * Returns the environment with the port that was picked for `PORT=0`. An issuer that contains the port is adapted.
 */
export function withPort(env: Environment, port: number): Environment {
  const named = (issuer: string): string =>
    issuer === localUrl(env.PORT) ? localUrl(port) : issuer;
  return Object.assign(new Environment(), env, {
    PORT: port,
    SIGNER_ISSUER: named(env.SIGNER_ISSUER),
    VALIDATOR_ISSUER: env.VALIDATOR_ISSUER.map(named),
  });
}

function parse(raw: RawEnvironment): Environment {
  const texts = withDefaults(raw);
  const values = VARIABLES.map(({ name, parse: valueOf }) => {
    const text = texts[name];
    return [name, text === undefined ? undefined : valueOf(text)];
  });
  return Object.assign(new Environment(), Object.fromEntries(values));
}

/**
 * Returns the variables of the gateway as text. Unset and empty ones get their default, or are left out without one.
 */
export function withDefaults(raw: RawEnvironment): Record<string, string> {
  const production = raw.NODE_ENV?.trim() === 'production';
  return Object.fromEntries(
    VARIABLES.flatMap((variable) => {
      const usual = (production ? variable.production : undefined) ?? variable.default;
      const given = [...variable.aliases, variable.name].map((name) => raw[name]).find(isGiven);
      const text = isGiven(given) && !isServiceLink(variable.name, given) ? given : usual;
      return text === undefined ? [] : [[variable.name, text]];
    }),
  );
}
