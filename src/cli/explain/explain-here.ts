import { existsSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { JwtVerifier } from '../../auth/index.js';
import { compilePolicy } from '../../core/verify/index.js';
import { BootError } from '../../core/errors/index.js';
import { readEnvironment, type Environment } from '../../environment/index.js';
import { authOptions, jwksOptions, stateOptions } from '../../config/index.js';
import { TokenExplainer, type Explanation } from '../../core/explain/index.js';
import { JwkKeyStore } from '../../jwks/index.js';
import { openStore, Revocations, StateUnavailableException } from '../../state/index.js';

/**
 * Explains a token by the environment's configuration, as the gateway here would see it.
 *
 * @throws BootError when the gateway would not boot
 */
export async function explainHere(
  token: string,
  route: { roles?: readonly string[]; scopes?: readonly string[] },
): Promise<Explanation> {
  const env = readEnvironment(process.env);
  Logger.overrideLogger(false);
  // A command that asks creates nothing, and follows nothing.
  const keys = await JwkKeyStore.open({
    ...jwksOptions(env),
    createMissing: undefined,
    reloadIntervalMs: 0,
  });
  const opened = await openRevocations(env);
  const revocations = opened instanceof Revocations ? opened : undefined;
  try {
    const policy = compilePolicy(route, authOptions(env));
    const verifier = new JwtVerifier(keys, revocations);
    const explainer = new TokenExplainer(keys, verifier, opened);
    const explanation = await explainer.explain(token, policy);
    // The gateway would not accept it either, as long as it cannot ask.
    return typeof opened === 'string' && explanation.accepted
      ? { ...explanation, accepted: false, code: 'state_unavailable' }
      : explanation;
  } finally {
    keys.onApplicationShutdown();
    await revocations?.onApplicationShutdown();
  }
}

/**
 * `undefined` where there is nothing to ask: the memory of another process, or no file yet. A text
 * says why a store cannot be asked.
 */
async function openRevocations(env: Environment): Promise<Revocations | string | undefined> {
  const options = stateOptions(env);
  if (options.url.startsWith('memory:')) return undefined;
  if (options.url.startsWith('sqlite:') && !existsSync(options.url.slice('sqlite:'.length)))
    return undefined;
  try {
    return await Revocations.open(await openStore(options.url), options);
  } catch (error) {
    if (error instanceof BootError) return error.message;
    if (error instanceof StateUnavailableException)
      return error.details.explanation ?? error.message;
    throw error;
  }
}
