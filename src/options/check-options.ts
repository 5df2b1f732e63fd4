import type { DynamicModule, Provider } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { members, type OptionKinds } from './option-kinds.js';

/** The problems of options, one line each. Options that are `undefined` have none. */
export const optionProblems = <Options extends object>(
  options: unknown,
  kinds: OptionKinds<Options>,
): readonly string[] => (options === undefined ? [] : members(kinds)(options, ''));

/**
 * Makes a module check its options at boot, also those of `forRootAsync`.
 *
 * @param module definition of `ConfigurableModuleBuilder`
 * @param token injection token of the options
 * @param name name of the module, for messages
 * @returns the definition, with checked options: the boot fails with BootError for wrong ones
 */
export function withCheckedOptions<Options extends object>(
  module: DynamicModule,
  token: unknown,
  name: string,
  kinds: OptionKinds<Options>,
): DynamicModule {
  const check = (options: unknown): unknown => {
    const problems = optionProblems(options, kinds);
    if (problems.length > 0) throw new BootError(problems.map((problem) => `${name}: ${problem}`));
    return options;
  };
  return { ...module, providers: module.providers?.map((one) => checked(one, token, check)) };
}

function checked(
  provider: Provider,
  token: unknown,
  check: (options: unknown) => unknown,
): Provider {
  if (typeof provider === 'function' || provider.provide !== token) return provider;
  if ('useValue' in provider)
    return { provide: provider.provide, useFactory: () => check(provider.useValue) };
  if (!('useFactory' in provider)) return provider;
  const make = provider.useFactory as (...args: unknown[]) => unknown;
  return { ...provider, useFactory: async (...args: unknown[]) => check(await make(...args)) };
}
