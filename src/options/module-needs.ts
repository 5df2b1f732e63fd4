import type {
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  Provider,
  Type,
} from '@nestjs/common';
import { BootError } from '../core/errors/index.js';

/** Metadata keys of Nest for the parameters of a constructor and for guards. */
const TYPES = 'design:paramtypes';
const TOKENS = 'self:paramtypes';
const OPTIONAL = 'optional:paramtypes';
const GUARDS = '__guards__';

/** A parameter of a constructor. */
interface Dependency {
  readonly token: InjectionToken;
  readonly optional: boolean;
}

/**
 * Makes the metadata of a module whose boot names another module that is missing. The error of Nest only names a
 * parameter of a constructor.
 *
 * @param name name of the module
 * @param needs the modules that it needs, each with the providers that it uses of it
 * @param metadata the metadata for `@Module()`: providers, controllers, imports and exports
 * @example
 * ```ts
 * @Module(withNeeds('HealthModule', { JwksModule: [JwkKeyStore] }, { controllers: [HealthController] }))
 * ```
 */
export function withNeeds(
  name: string,
  needs: Readonly<Record<string, readonly InjectionToken[]>>,
  metadata: ModuleMetadata,
): ModuleMetadata {
  const modules = new Map(
    Object.entries(needs).flatMap(([module, tokens]) => tokens.map((token) => [token, module])),
  );
  const problem = (token: InjectionToken): BootError => {
    const module = modules.get(token);
    return new BootError(
      module === undefined
        ? `${name} has no options: import it as ${name}.forRoot(…)`
        : `${name} needs ${module}: add ${module}.forRoot(…) to the imports of your root module`,
    );
  };
  const check = (dependencies: readonly Dependency[], given: readonly unknown[]): void => {
    dependencies.forEach(({ token, optional }, index) => {
      if (!optional && given[index] === undefined) throw problem(token);
    });
  };
  const checked = (provider: Provider): Provider => {
    if (typeof provider !== 'function') return provider;
    const dependencies = dependenciesOf(provider);
    return {
      provide: provider,
      inject: dependencies.map(({ token }) => ({ token, optional: true })),
      useFactory: (...given: unknown[]): unknown => {
        check(dependencies, given);
        return new provider(...given);
      },
    };
  };
  const { providers = [], controllers = [] } = metadata;
  const enhanced = [...controllers, ...controllers.flatMap(guardsOf)];
  return {
    ...metadata,
    providers: [...providers.map(checked), ...enhanced.map((type) => checkOf(type, check))],
  };
}

/**
 * A provider that checks the dependencies of a controller. Nest creates providers first, so it fails before Nest does.
 */
function checkOf(
  type: Type,
  check: (dependencies: readonly Dependency[], given: readonly unknown[]) => void,
): FactoryProvider {
  const dependencies = dependenciesOf(type);
  return {
    provide: Symbol(`signet.needs-of-${type.name}`),
    inject: dependencies.map(({ token }) => ({ token, optional: true })),
    useFactory: (...given: unknown[]) => check(dependencies, given) ?? true,
  };
}

const guardsOf = (controller: Type): Type[] =>
  ((Reflect.getMetadata(GUARDS, controller) ?? []) as unknown[]).filter(
    (guard): guard is Type => typeof guard === 'function',
  );

function dependenciesOf(type: object): Dependency[] {
  const types = (Reflect.getMetadata(TYPES, type) ?? []) as InjectionToken[];
  const named = (Reflect.getMetadata(TOKENS, type) ?? []) as {
    index: number;
    param: InjectionToken;
  }[];
  const optional = new Set((Reflect.getMetadata(OPTIONAL, type) ?? []) as number[]);
  return types.map((own, index) => ({
    token: named.find((one) => one.index === index)?.param ?? own,
    optional: optional.has(index),
  }));
}
