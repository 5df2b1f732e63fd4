import type { ClassTransformOptions } from 'class-transformer';

/** What of class-transformer is used here. */
export interface Transformer {
  /** What an object shows by the decorators of its class and of those that it holds. */
  readonly instanceToPlain: (value: object, options?: ClassTransformOptions) => unknown;
  /** True for an object whose class has such decorators. */
  readonly knows: (value: object) => boolean;
  /** Makes an object that keeps all of its members whatever a serializer outside of it is told. */
  readonly shown: () => Record<string, unknown>;
}

/** A part of the package that its index leaves out. */
const STORAGE = 'class-transformer/cjs/storage.js';
interface Storage {
  readonly defaultMetadataStorage: Readonly<
    Record<
      '_typeMetadatas' | '_transformMetadatas' | '_exposeMetadatas' | '_excludeMetadatas',
      ReadonlyMap<unknown, unknown>
    >
  >;
}

let loaded: Promise<Transformer | undefined> | undefined;

/** class-transformer, loaded when it is asked for first; `undefined` where it is not installed. */
export const classTransformer = (): Promise<Transformer | undefined> => (loaded ??= load());

async function load(): Promise<Transformer | undefined> {
  const [main, storage] = await Promise.all([
    import('class-transformer').catch(() => undefined),
    (import(STORAGE) as Promise<Storage>).catch(() => undefined),
  ]);
  if (main === undefined) return undefined;
  class Shown {}
  main.Expose()(Shown);
  const {
    _typeMetadatas: byType,
    _transformMetadatas: byTransform,
    _exposeMetadatas: byExpose,
    _excludeMetadatas: byExclude,
  } = storage?.defaultMetadataStorage ?? {};
  const decorated = [byType, byTransform, byExpose, byExclude].filter((map) => map !== undefined);
  // A bundle may hold the package twice. Then it is not known which classes have decorators.
  const isSame = decorated.length === 4 && byExpose?.has(Shown) === true;
  return {
    instanceToPlain: (value, options) => main.instanceToPlain(value, options),
    knows: (value) =>
      !isSame || classesOf(value).some((target) => decorated.some((map) => map.has(target))),
    shown: () => new Shown() as Record<string, unknown>,
  };
}

/** The class of an object and those that it extends. */
function classesOf(value: object): unknown[] {
  const classes: unknown[] = [];
  let prototype: unknown = Object.getPrototypeOf(value);
  while (prototype !== null && prototype !== Object.prototype) {
    classes.push((prototype as { constructor?: unknown }).constructor);
    prototype = Object.getPrototypeOf(prototype);
  }
  return classes;
}
