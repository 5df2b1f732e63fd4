import type { ClassTransformOptions } from 'class-transformer';

/** The functions of class-transformer that are used here. */
export interface Transformer {
  /** Applies the decorators of the object's class, and those of the objects in it. */
  readonly instanceToPlain: (value: object, options?: ClassTransformOptions) => unknown;
  /** True for an object whose class, or a base class, has decorators of class-transformer. */
  readonly isDecorated: (value: object) => boolean;
  /** Creates an object of which no later serializer hides a member, whatever its options are. */
  readonly createExposed: () => Record<string, unknown>;
}

/** The module with the metadata of all decorators. The index of the package does not export it. */
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

/** Loads class-transformer with the first call. @returns `undefined` where it is not installed */
export const classTransformer = (): Promise<Transformer | undefined> => (loaded ??= load());

async function load(): Promise<Transformer | undefined> {
  const [main, storage] = await Promise.all([
    import('class-transformer').catch(() => undefined),
    (import(STORAGE) as Promise<Storage>).catch(() => undefined),
  ]);
  if (main === undefined) return undefined;
  class Exposed {}
  main.Expose()(Exposed);
  const {
    _typeMetadatas: byType,
    _transformMetadatas: byTransform,
    _exposeMetadatas: byExpose,
    _excludeMetadatas: byExclude,
  } = storage?.defaultMetadataStorage ?? {};
  const decorated = [byType, byTransform, byExpose, byExclude].filter((map) => map !== undefined);
  // A bundle may contain the package twice. Then its metadata are not those of the application, and every class counts
  // as decorated.
  const isComplete = decorated.length === 4 && byExpose?.has(Exposed) === true;
  return {
    instanceToPlain: (value, options) => main.instanceToPlain(value, options),
    isDecorated: (value) =>
      !isComplete || classesOf(value).some((target) => decorated.some((map) => map.has(target))),
    createExposed: () => new Exposed() as Record<string, unknown>,
  };
}

/** The class of an object, and its base classes. */
function classesOf(value: object): unknown[] {
  const classes: unknown[] = [];
  let prototype: unknown = Object.getPrototypeOf(value);
  while (prototype !== null && prototype !== Object.prototype) {
    classes.push((prototype as { constructor?: unknown }).constructor);
    prototype = Object.getPrototypeOf(prototype);
  }
  return classes;
}
