import { Validator } from 'class-validator/cjs/validation/Validator.js';
import { BootError } from '../core/errors/index.js';
import {
  crossChecks,
  explainPageWarning,
  authMethodsWarning,
  httpHostsWarning,
  sharedKeysWarning,
  trustProxyWarning,
} from './cross-checks.js';
import { readEnvFile } from './env-file.js';
import { Environment } from './environment.js';
import { VARIABLES } from './fields.js';
import { isGiven, type RawEnvironment } from './raw-environment.js';
import { isServiceLink, unknownVariables } from './unknown-variables.js';

/** The environment of a process that boots. */
export interface LoadedEnvironment {
  readonly env: Environment;
  /** What is odd, and no reason not to boot; a line each, for the log. */
  readonly warnings: readonly string[];
}

/**
 * Reads `.env` and the process's environment, once per process: what runs afterwards is handed the
 * result. Other software (OpenTelemetry, Express, the workers of a cluster) looks into the process's
 * environment by itself, so what `.env` adds is put there, too.
 *
 * @param file a `.env` file that need not exist
 * @throws BootError with all problems at once, one line each, by variable name and without values
 */
export function loadEnvironment(file = '.env'): LoadedEnvironment {
  const { variables, problems } = readEnvFile(process.env, file);
  const { env, problems: wrong } = check(variables);
  const lines = [
    ...problems.map(({ text }) => text),
    // What follows from a line that cannot be understood is no second problem.
    ...wrong
      .map(({ text }) => text)
      .filter((text) => !problems.some(({ name }) => text.startsWith(`${name} `))),
  ];
  if (lines.length > 0) throw new BootError(lines);
  Object.assign(process.env, variables, { NODE_ENV: env.NODE_ENV });
  return {
    env,
    warnings: [
      ...unknownVariables(variables),
      ...httpHostsWarning(env),
      ...sharedKeysWarning(env),
      ...trustProxyWarning(env),
      ...explainPageWarning(env),
      ...authMethodsWarning(env),
    ],
  };
}

/**
 * The environment, typed and with defaults.
 *
 * @throws BootError with all problems at once, one line each, by variable name and without values
 */
export function readEnvironment(raw: RawEnvironment): Environment {
  const { env, problems } = check(raw);
  if (problems.length > 0) throw new BootError(problems.map(({ text }) => text));
  return env;
}

/**
 * One variable alone, typed and with its default, whatever the others are.
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
  /** The variable with a wrong value; undefined for what several variables have together. */
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

/** What a variable is that follows others. Not checked again: what is wrong is reported for those. */
function followOthers(env: Environment): void {
  env.SIGNER_ISSUER ??= env.PUBLIC_URL ?? localUrl(env.PORT);
  if (env.VALIDATOR_ISSUER.length === 0) env.VALIDATOR_ISSUER = [env.SIGNER_ISSUER];
  const [audience] = env.VALIDATOR_AUDIENCE;
  // Where another claim says for whom a token is, or none does, nothing is known of `aud`.
  if (env.VALIDATOR_AUDIENCE_CLAIM === 'aud' && audience !== 'unchecked')
    env.SIGNER_AUDIENCE ??= audience;
}

const localUrl = (port: number): string => `http://localhost:${port}`;

/**
 * The environment with the port that `PORT=0` stands for, once it is known: an issuer that follows the
 * port is the same URL as the gateway's.
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
 * The texts of all variables of the gateway: what is unset or empty gets its default. A variable
 * without a default is not in it.
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
