import { existsSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { JwtVerifier, type AuthModuleOptions } from '../../auth/index.js';
import { authOptions, jwksOptions, stateOptions, withVariableNames } from '../../config/index.js';
import { BootError } from '../../core/errors/index.js';
import { rewordExplanation, TokenExplainer, type Explanation } from '../../core/explain/index.js';
import type { KeySource } from '../../core/keys/index.js';
import { compilePolicy } from '../../core/verify/index.js';
import { readEnvironment, type Environment } from '../../environment/index.js';
import { IntrospectionEndpoints, JwkKeyStore, type JwksModuleOptions } from '../../jwks/index.js';
import {
  openStore,
  Revocations,
  StateUnavailableException,
  type StateModuleOptions,
} from '../../state/index.js';
import type { CommandContext } from '../command-context.js';

/**
 * Explains a token by the configuration in the working directory, as the gateway would check it.
 *
 * @throws BootError when the gateway would not boot
 */
export async function explainHere(
  token: string,
  route: { roles?: readonly string[]; scopes?: readonly string[] },
  context: CommandContext,
): Promise<Explanation> {
  const env = readGatewayEnvironment(context);
  Logger.overrideLogger(false);
  const options = keyOptions(env, context);
  const keys = await JwkKeyStore.open(options);
  const endpoints = new IntrospectionEndpoints(options);
  const opened = await openRevocations(stateOptions(env), context);
  const revocations = opened instanceof Revocations ? opened : undefined;
  try {
    const policy = compilePolicy(route, authHere(env, context));
    await Promise.all(
      [...(policy.perIssuer?.values() ?? [])].map(
        async ({ keySource }) => keySource && keys.openVerification(keySource),
      ),
    );
    const verifier = new JwtVerifier(keys, revocations, undefined, undefined, endpoints);
    const explainer = new TokenExplainer(keys, verifier, opened, endpoints);
    const explanation = rewordExplanation(
      await explainer.explain(token, policy),
      withVariableNames,
    );
    // The gateway refuses the token as well while it cannot read the revocations.
    return typeof opened === 'string' && explanation.accepted
      ? { ...explanation, accepted: false, code: 'state_unavailable' }
      : explanation;
  } finally {
    keys.onApplicationShutdown();
    endpoints.onApplicationShutdown();
    await revocations?.onApplicationShutdown();
  }
}

/**
 * Reads the environment, with absolute paths of the files that the gateway's modules open. No message names these
 * files.
 */
function readGatewayEnvironment({ settings, files }: CommandContext): Environment {
  const absolute = [
    'KEY_PASSPHRASE_FILE',
    'VALIDATOR_JWK_LOCAL_CA',
    'VALIDATOR_INTROSPECTION_CLIENT_FILE',
  ].flatMap((name) => {
    const path = settings.given(name);
    return path === undefined ? [] : [[name, files.pathOf(path)] as const];
  });
  return readEnvironment({ ...settings.variables, ...Object.fromEntries(absolute) });
}

/** Options of `JwksModule`. The command creates no missing keys, and does not watch the files. */
function keyOptions(env: Environment, context: CommandContext): JwksModuleOptions {
  const options = jwksOptions(env);
  return {
    ...options,
    signing: fromHere(options.signing, context),
    verification: fromHere(options.verification, context),
    createMissing: undefined,
    reloadIntervalMs: 0,
  };
}

/** Options of `AuthModule`. Key files of other issuers are relative to the working directory of the command, too. */
function authHere(env: Environment, context: CommandContext): AuthModuleOptions {
  const options = authOptions(env);
  return {
    ...options,
    issuers: options.issuers?.map((issuer) =>
      Object.assign({}, issuer, { keys: fromHere(issuer.keys, context) }),
    ),
  };
}

/** Reads a key file as the other commands do: relative to their working directory. */
const fromHere = (
  source: KeySource | undefined,
  { keyFiles }: CommandContext,
): KeySource | undefined =>
  source === undefined || !('path' in source)
    ? source
    : {
        source: source.path,
        remote: false,
        publicOnly: false,
        read: () => keyFiles.read(source.path),
        watch: () => () => undefined,
      };

/**
 * Opens the revocations.
 *
 * @returns `undefined` if there is nothing to read: a store in the memory of another process, or a SQLite file that
 * does not exist yet. A text that says why, if the store cannot be read
 */
async function openRevocations(
  options: StateModuleOptions & { url: string },
  { files }: CommandContext,
): Promise<Revocations | string | undefined> {
  const [, file] = /^sqlite:(.*)$/s.exec(options.url) ?? [];
  const path = file === undefined ? undefined : files.pathOf(file);
  if (options.url.startsWith('memory:') || (path !== undefined && !existsSync(path)))
    return undefined;
  const url = path === undefined ? options.url : `sqlite:${path}`;
  try {
    return await Revocations.open(await openStore(url), options);
  } catch (error) {
    if (error instanceof BootError) return error.message;
    if (error instanceof StateUnavailableException)
      return error.details.explanation ?? error.message;
    throw error;
  }
}
