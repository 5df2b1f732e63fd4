import type { DynamicModule, Provider } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { members, type OptionKinds } from './option-kinds.js';

/** The problems of options, one line each; none for good ones, and for options that are left out. */
export const optionProblems = <Options extends object>(
  options: unknown,
  kinds: OptionKinds<Options>,
): readonly string[] => (options === undefined ? [] : members(kinds)(options, ''));

/**
 * A module that checks its options before anybody gets them, also those of `forRootAsync`.
 *
 * @param module as `ConfigurableModuleBuilder` defines it
 * @param token of its options
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
