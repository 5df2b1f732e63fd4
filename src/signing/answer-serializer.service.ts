import {
  ClassSerializerInterceptor,
  Injectable,
  type ClassSerializerInterceptorOptions,
  type ExecutionContext,
} from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig } from '@nestjs/core';
import { classTransformer } from './class-transformer.js';
import { applyToJson, isJsonShape, isLiteral, isRecord, toJsonShape } from './json-shape.js';

/** Metadata key of `@SerializeOptions()`. */
const SERIALIZE_OPTIONS = 'class_serializer:options';

/** How the answers of a route are serialized. */
interface Serialization {
  /** The `ClassSerializerInterceptor`s that are global, of the controller, and of the handler. */
  readonly serializers: readonly ClassSerializerInterceptor[];
  readonly options: ClassSerializerInterceptorOptions;
  /** Object literals are serialized as well, since the options may hide members of them. */
  readonly includesLiterals: boolean;
}

/**
 * Serializes the result of a handler before it is signed. It applies `toJSON()`, the decorators of class-transformer
 * and the options of the application's `ClassSerializerInterceptor`, so what they hide is neither in the answer nor in
 * a token. It does so wherever that interceptor is registered, and also without one.
 */
@Injectable()
export class AnswerSerializer {
  private readonly routes = new WeakMap<CallableFunction, WeakMap<object, Serialization>>();

  constructor(private readonly application: ApplicationConfig) {}

  /**
   * @param fields the fields to sign; dots reach nested fields
   * @returns the same value where it is plain JSON already, else a promise of a copy. The promise rejects with
   * SigningError `sign_target_invalid` for values that JSON cannot hold, see `toJsonShape`
   */
  serialize(value: unknown, fields: readonly string[], context: ExecutionContext): unknown {
    const serialization = this.serializationOf(context.getHandler(), context.getClass());
    if (!serialization.includesLiterals && isJsonShape(value)) return value;
    return serializeBy(serialization, value, fields);
  }

  private serializationOf(handler: CallableFunction, controller: object): Serialization {
    let ofHandler = this.routes.get(handler);
    if (ofHandler === undefined) this.routes.set(handler, (ofHandler = new WeakMap()));
    let found = ofHandler.get(controller);
    if (found === undefined)
      ofHandler.set(controller, (found = this.readSerialization(handler, controller)));
    return found;
  }

  private readSerialization(handler: CallableFunction, controller: object): Serialization {
    const serializers = [
      this.application.getGlobalInterceptors(),
      Reflect.getMetadata(INTERCEPTORS_METADATA, controller),
      Reflect.getMetadata(INTERCEPTORS_METADATA, handler),
    ].flatMap((list: unknown) => (Array.isArray(list) ? list.flatMap(serializersOf) : []));
    const options: ClassSerializerInterceptorOptions = Object.assign(
      {},
      ...serializers.map(defaultsOf),
      optionsOf(handler) ?? optionsOf(controller),
    );
    return { serializers, options, includesLiterals: Object.keys(options).length > 0 };
  }
}

/**
 * Moves an interceptor of a handler behind the serializers of that handler, whatever the order of its decorators, so
 * that it sees the result before they do. A serializer ignores `toJSON()`, and would convert an `UnsignedAnswer`.
 */
export function runWithinSerializers(interceptor: object, handler: object): void {
  const list: unknown = Reflect.getMetadata(INTERCEPTORS_METADATA, handler);
  if (!Array.isArray(list)) return;
  const others = list.filter((item) => item !== interceptor);
  const last = others.findLastIndex((item) => serializersOf(item).length > 0);
  if (last < list.indexOf(interceptor)) return;
  others.splice(last + 1, 0, interceptor);
  Reflect.defineMetadata(INTERCEPTORS_METADATA, others, handler);
}

/** The serializer that an item of a list of interceptors is, if it is one. Nest creates a class without options. */
function serializersOf(item: unknown): ClassSerializerInterceptor[] {
  if (item instanceof ClassSerializerInterceptor) return [item];
  const isClass =
    item === ClassSerializerInterceptor ||
    (typeof item === 'function' && item.prototype instanceof ClassSerializerInterceptor);
  return isClass ? [new ClassSerializerInterceptor({ getAllAndOverride: () => undefined })] : [];
}

const defaultsOf = (serializer: ClassSerializerInterceptor): object =>
  (serializer as unknown as { defaultOptions?: object }).defaultOptions ?? {};

const optionsOf = (target: object): ClassSerializerInterceptorOptions | undefined =>
  Reflect.getMetadata(SERIALIZE_OPTIONS, target) as ClassSerializerInterceptorOptions | undefined;

async function serializeBy(
  { serializers, options }: Serialization,
  value: unknown,
  fields: readonly string[],
): Promise<unknown> {
  const transformer = await classTransformer();
  const isDecorated = (object: object): boolean => transformer?.isDecorated(object) ?? false;
  let result = applyToJson(value, isDecorated);
  for (const serializer of serializers)
    if (isRecord(result) || Array.isArray(result)) result = serializer.serialize(result, options);
  return toJsonShape(result, {
    fields,
    toPlain: (object) =>
      !isLiteral(object) && isDecorated(object)
        ? transformer?.instanceToPlain(object, options)
        : object,
    createObject: transformer?.createExposed,
  });
}
