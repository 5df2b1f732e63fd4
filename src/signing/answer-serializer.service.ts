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

/** Metadata of `@SerializeOptions()`. */
const SERIALIZE_OPTIONS = 'class_serializer:options';

/** How a route's answers are serialized. */
interface Serialization {
  /** The application's serializers, wherever they stand. */
  readonly serializers: readonly ClassSerializerInterceptor[];
  readonly options: ClassSerializerInterceptorOptions;
  /** Object literals are serialized as well: options may hide members of them. */
  readonly ofLiterals: boolean;
}

/**
 * Makes of what a handler returns just what the application would show of it: `toJSON()`, the decorators of
 * class-transformer and the options of the application's `ClassSerializerInterceptor` hold before anything is
 * signed, so what they hide is neither in the answer nor in a token. Where that interceptor stands, or
 * whether there is one, does not matter.
 */
@Injectable()
export class AnswerSerializer {
  private readonly routes = new WeakMap<CallableFunction, WeakMap<object, Serialization>>();

  constructor(private readonly application: ApplicationConfig) {}

  /**
   * @param fields to sign; dots reach nested ones
   * @returns the very same value where it is JSON already, else a promise, which rejects with the SigningError
   * `sign_target_invalid` for what JSON does not know; see `toJsonShape`
   */
  serialize(value: unknown, fields: readonly string[], context: ExecutionContext): unknown {
    const serialization = this.serialization(context.getHandler(), context.getClass());
    if (!serialization.ofLiterals && isJsonShape(value)) return value;
    return serializeBy(serialization, value, fields);
  }

  private serialization(handler: CallableFunction, controller: object): Serialization {
    let ofHandler = this.routes.get(handler);
    if (ofHandler === undefined) this.routes.set(handler, (ofHandler = new WeakMap()));
    let found = ofHandler.get(controller);
    if (found === undefined) ofHandler.set(controller, (found = this.find(handler, controller)));
    return found;
  }

  private find(handler: CallableFunction, controller: object): Serialization {
    const serializers = [
      this.application.getGlobalInterceptors(),
      Reflect.getMetadata(INTERCEPTORS_METADATA, controller),
      Reflect.getMetadata(INTERCEPTORS_METADATA, handler),
    ].flatMap((list: unknown) => (Array.isArray(list) ? list.flatMap(asSerializer) : []));
    const options: ClassSerializerInterceptorOptions = Object.assign(
      {},
      ...serializers.map(defaultsOf),
      optionsOf(handler) ?? optionsOf(controller),
    );
    return { serializers, options, ofLiterals: Object.keys(options).length > 0 };
  }
}

/**
 * Lets an interceptor of a handler run within the serializers of that handler, whatever the order of its
 * decorators: a serializer does not honour `toJSON()`, and makes something else of an `UnsignedAnswer`.
 */
export function runWithinSerializers(interceptor: object, handler: object): void {
  const list: unknown = Reflect.getMetadata(INTERCEPTORS_METADATA, handler);
  if (!Array.isArray(list)) return;
  const others = list.filter((item) => item !== interceptor);
  const last = others.findLastIndex((item) => asSerializer(item).length > 0);
  if (last < list.indexOf(interceptor)) return;
  others.splice(last + 1, 0, interceptor);
  Reflect.defineMetadata(INTERCEPTORS_METADATA, others, handler);
}

/** A class in a list of interceptors is made by Nest with no options of its own. */
function asSerializer(item: unknown): ClassSerializerInterceptor[] {
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
  const knows = (object: object): boolean => transformer?.knows(object) ?? false;
  let shown = applyToJson(value, knows);
  for (const serializer of serializers)
    if (isRecord(shown) || Array.isArray(shown)) shown = serializer.serialize(shown, options);
  return toJsonShape(shown, {
    fields,
    show: (object) =>
      !isLiteral(object) && knows(object) ? transformer?.instanceToPlain(object, options) : object,
    create: transformer?.shown,
  });
}
