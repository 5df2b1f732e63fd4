import type { AddressInfo } from 'node:net';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Module,
  SerializeOptions,
  UseInterceptors,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory, Reflector } from '@nestjs/core';
import { Exclude, Expose, Transform, Type as OfType } from 'class-transformer';
import mongoose from 'mongoose';
import { of } from 'rxjs';
import { Column, DataSource, Entity, ManyToOne, PrimaryColumn } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ErrorFilter,
  JwksModule,
  SignFields,
  SigningModule,
  UnsignedAnswer,
} from '../../src/index.js';
import { parseJsonExactly } from '../../src/core/json/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { call } from '../helpers/http.js';
import { part } from '../helpers/keys.js';

const HIDDEN = 'hunter2';

class Excluded {
  constructor(readonly sub = 'u1') {}
  @Exclude() x = HIDDEN;
}
class Inheriting extends Excluded {}
@Exclude()
class OnlyExposed {
  @Expose() sub = 'u1';
  x = HIDDEN;
}
class ForAdmins {
  sub = 'u1';
  @Expose({ groups: ['admin'] }) x = HIDDEN;
}
class Transformed {
  sub = 'u1';
  @Transform(() => undefined) x = HIDDEN;
}
class WithToJson {
  sub = 'u1';
  x = HIDDEN;
  toJSON() {
    return { sub: this.sub };
  }
}
/** Each hides what the other one shows. */
class WithBoth {
  sub = 'u1';
  @Exclude() x = HIDDEN;
  y = `${HIDDEN} of toJSON`;
  toJSON() {
    return { sub: this.sub, x: this.x };
  }
}
class Private {
  readonly #x = HIDDEN;
  sub = 'u1';
  get x() {
    return this.#x;
  }
}
class NotEnumerable {
  sub = 'u1';
  constructor() {
    Object.defineProperty(this, 'x', { value: HIDDEN, enumerable: false });
  }
}
const UserModel = mongoose.model(
  'User',
  new mongoose.Schema(
    { sub: String, x: String },
    {
      _id: false,
      id: false,
      toJSON: {
        transform: (_document, { x: _x, ...shown }: { x?: string | null }) => shown,
      },
    },
  ),
);
@Entity()
class Owner {
  @PrimaryColumn('varchar') sub = 'owner';
  @Exclude() @Column('varchar') x = HIDDEN;
}
@Entity()
class Account {
  @PrimaryColumn('varchar') sub = 'u1';
  @Exclude() @Column('varchar') x = HIDDEN;
  @ManyToOne(() => Owner, { eager: true, cascade: true }) owner?: Owner;
}
const database = new DataSource({ type: 'sqljs', entities: [Account, Owner], synchronize: true });
const accounts = (await database.initialize()).getRepository(Account);
await accounts.save(accounts.create({ owner: new Owner() }));
const account = await accounts.findOneByOrFail({ sub: 'u1' });
await database.destroy();

class Parent {
  sub = 'u1';
  child = new Excluded('child');
  document = new UserModel({ sub: 'document', x: HIDDEN });
}
class Dto {
  @Expose() @OfType(() => OnlyExposed) token!: OnlyExposed;
  @Expose() @OfType(() => OnlyExposed) sibling!: OnlyExposed;
}

/** What hides a field x, each by its own way. */
const WAYS: Record<string, () => object> = {
  '@Exclude() on the member': () => new Excluded(),
  '@Exclude() of a class that it extends': () => new Inheriting(),
  '@Exclude() on the class': () => new OnlyExposed(),
  '@Expose() for a group': () => new ForAdmins(),
  '@Transform()': () => new Transformed(),
  'toJSON()': () => new WithToJson(),
  'toJSON() and @Exclude()': () => new WithBoth(),
  'a private member with a getter': () => new Private(),
  'a member that is not enumerable': () => new NotEnumerable(),
  'a symbol as name': () => ({ sub: 'u1', [Symbol('x')]: HIDDEN }),
  'an entity of TypeORM, with its relations': () => accounts.merge(new Account(), account),
  'a document of Mongoose': () => new UserModel({ sub: 'u1', x: HIDDEN }),
  'something within an object literal': () => ({ sub: 'u1', list: [new Excluded()] }),
  'something within an instance': () => new Parent(),
};

class AnswerOf {
  constructor(way: () => object) {
    Object.assign(this, { token: way(), sibling: way(), list: [way()] });
  }
}

type Place = 'none' | 'global' | 'provider' | 'class' | 'before' | 'after';
const PLACES: Place[] = ['none', 'global', 'provider', 'class', 'before', 'after'];

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(controller: Type, place: Place = 'none', options = {}): Promise<string> {
  const issuer = createTestIssuer({ alg: 'HS256' });
  const provider = { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor };
  @Module({
    imports: [
      JwksModule.forRoot(issuer.jwksOptions),
      SigningModule.forRoot({ fields: ['token'], requireAllFields: true }),
    ],
    controllers: [controller],
    providers: place === 'provider' ? [provider] : [],
  })
  class App {}
  app = await NestFactory.create(App, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ErrorFilter({ explain: true }));
  if (place === 'global')
    app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector), options));
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

const names = Object.keys(WAYS);

function controllerAt(place: Place): Type {
  const nothing = (): void => undefined;
  const onClass = place === 'class' ? UseInterceptors(ClassSerializerInterceptor) : nothing;
  const before = place === 'before' ? UseInterceptors(ClassSerializerInterceptor) : nothing;
  const after = place === 'after' ? UseInterceptors(ClassSerializerInterceptor) : nothing;
  class Ways {
    literal(way: () => object) {
      return { token: way(), sibling: way(), list: [way()] };
    }
  }
  const prototype = Ways.prototype as unknown as Record<string, unknown>;
  const add = (path: string, answer: () => unknown): void => {
    prototype[path] = answer;
    const descriptor = Object.getOwnPropertyDescriptor(prototype, path) ?? {};
    // The decorators apply from the last one to the first, as they stand in a file.
    for (const decorate of [after, SignFields() as MethodDecorator, before, Get(path)])
      decorate(prototype, path, descriptor);
    Object.defineProperty(prototype, path, descriptor);
  };
  for (const [index, name] of names.entries()) {
    const way = WAYS[name] as () => object;
    const literal = () => ({ token: way(), sibling: way(), list: [way()] });
    add(`literal${index}`, literal);
    add(`instance${index}`, () => new AnswerOf(way));
    add(`promise${index}`, async () => literal());
    add(`observable${index}`, () => of(literal()));
    add(`unsigned${index}`, () => new UnsignedAnswer(literal(), {}));
  }
  Controller()(Ways);
  onClass(Ways);
  return Ways;
}

describe('what a class hides is neither in an answer nor in a token', () => {
  it.each(PLACES)('serializer: %s', async (place) => {
    const url = await start(controllerAt(place), place);
    for (const [index, name] of names.entries())
      for (const kind of ['literal', 'instance', 'promise', 'observable', 'unsigned']) {
        const what = `${name}, ${kind}`;
        const answer = await call(`${url}/${kind}${index}`);
        expect([what, answer.status, answer.text.includes(HIDDEN)]).toEqual([what, 200, false]);
        const claims = part(String(answer.json.token), 1) as object;
        expect(JSON.stringify(claims)).not.toContain(HIDDEN);
        expect([what, claims]).toEqual([what, expect.objectContaining({ sub: 'u1' })]);
        expect([what, answer.json.sibling]).toEqual([
          what,
          expect.objectContaining({ sub: 'u1' }) as object,
        ]);
        expect(answer.json.list).toEqual([answer.json.sibling]);
      }
  });

  it('shows what the options of the serializer show, and no more', async () => {
    @Controller()
    class Options {
      @Get('admin') @SignFields() @SerializeOptions({ groups: ['admin'] }) admin() {
        return { token: new ForAdmins(), sibling: new ForAdmins() };
      }
      @Get('type')
      @SignFields()
      @SerializeOptions({ type: Dto, excludeExtraneousValues: true })
      type() {
        return { token: { sub: 'u1', x: HIDDEN }, sibling: { sub: 'u1', x: HIDDEN }, x: HIDDEN };
      }
      @Get('prefix') @SignFields() @SerializeOptions({ excludePrefixes: ['_'] }) prefix() {
        return { token: { sub: 'u1', _x: HIDDEN }, sibling: { sub: 'u1', _x: HIDDEN }, _x: HIDDEN };
      }
    }
    const url = await start(Options, 'provider');
    const [admin, type, prefix] = await Promise.all(
      ['admin', 'type', 'prefix'].map((path) => call(`${url}/${path}`)),
    );
    expect(admin?.json.sibling).toEqual({ sub: 'u1', x: HIDDEN });
    expect(part(String(admin?.json.token), 1)).toMatchObject({ sub: 'u1', x: HIDDEN });
    for (const answer of [type, prefix]) {
      expect(answer?.json).toEqual({ token: expect.any(String) as string, sibling: { sub: 'u1' } });
      expect(part(String(answer?.json.token), 1)).not.toHaveProperty(['x']);
      expect(part(String(answer?.json.token), 1)).not.toHaveProperty(['_x']);
    }
  });

  it('holds for the options of a global serializer', async () => {
    class Answer {
      @Expose() @OfType(() => OnlyExposed) token = new OnlyExposed();
      @Expose() nested = { of: new OnlyExposed() };
      x = HIDDEN;
    }
    @Controller()
    class Strict {
      @Get() @SignFields() answer() {
        return new Answer();
      }
    }
    const url = await start(Strict, 'global', { strategy: 'excludeAll' });
    const { json } = await call(url);
    // An object literal shows nothing there, with Signet and without.
    expect(json).toEqual({ token: expect.any(String) as string, nested: {} });
    expect(part(String(json.token), 1)).toMatchObject({ sub: 'u1' });
  });
});

describe('what JSON does not know', () => {
  const cyclic: Record<string, unknown> = { sub: 'u1' };
  cyclic.self = { of: cyclic };
  class Order {
    readonly user: User;
    constructor(user: User) {
      this.user = user;
    }
  }
  class User {
    sub = 'u1';
    @Exclude() orders = [new Order(this)];
  }
  const answers: Record<string, [answer: object, problem: string | undefined]> = {
    bigint: [{ token: { id: 7n } }, "field 'token.id' holds a BigInt"],
    besides: [{ token: {}, total: { n: [7n] } }, "field 'total.n.0' holds a BigInt"],
    date: [{ token: { since: new Date(0) } }, "field 'token.since' holds a Date"],
    map: [{ token: { m: new Map() } }, "field 'token.m' holds a Map"],
    set: [{ token: { list: [new Set()] } }, "field 'token.list.0' holds a Set"],
    buffer: [{ token: { raw: Buffer.from('a') } }, "field 'token.raw' holds a Uint8Array"],
    cyclic: [{ token: cyclic }, "field 'token.self.of' holds an object that holds itself"],
    around: [{ token: {}, cyclic }, "field 'cyclic.self.of' holds an object that holds itself"],
    itself: [{ token: new Map() }, "field 'token' holds a Map"],
    dateBesides: [{ token: {}, at: new Date(0), map: new Map([[1, 2]]) }, undefined],
    hidden: [{ token: new User(), user: new User() }, undefined],
    undefined: [{ token: { sub: 'u1', exp: undefined, f: () => 1 }, gone: undefined }, undefined],
  };

  it('is an error that names the field, where it would be in a token or cannot be sent', async () => {
    @Controller()
    class Answers {}
    const prototype = Answers.prototype as unknown as Record<string, unknown>;
    for (const [path, [answer]] of Object.entries(answers)) {
      prototype[path] = () => answer;
      const descriptor = Object.getOwnPropertyDescriptor(prototype, path) ?? {};
      (SignFields() as MethodDecorator)(prototype, path, descriptor);
      Get(path)(prototype, path, descriptor);
    }
    const url = await start(Answers);
    for (const [path, [, problem]] of Object.entries(answers)) {
      const { status, json } = await call(`${url}/${path}`);
      const { error_description: description = '' } = json as { error_description?: string };
      const [said = ''] = description.split(/[,;]/);
      expect([path, status, said]).toEqual([
        path,
        problem === undefined ? 200 : 502,
        problem ?? '',
      ]);
    }
    expect((await call(`${url}/dateBesides`)).json).toEqual({
      token: expect.any(String) as string,
      at: '1970-01-01T00:00:00.000Z',
      map: {},
    });
    expect((await call(`${url}/undefined`)).json).toEqual({ token: expect.any(String) as string });
  });
});

it('digits that a double cannot hold pass the serializers', async () => {
  @Controller()
  class Exact {
    @Get() @SignFields() answer() {
      return {
        token: parseJsonExactly('{"id":9007199254740993}') as object,
        user: new Excluded(),
      };
    }
  }
  const url = await start(Exact, 'global', { groups: ['a'] });
  const [, payload = ''] = String((await call(url)).json.token).split('.');
  expect(Buffer.from(payload, 'base64url').toString()).toContain('"id":9007199254740993');
});
