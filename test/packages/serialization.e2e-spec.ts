import { Controller, Get, SerializeOptions } from '@nestjs/common';
import { Exclude, Expose, Transform, Type as OfType } from 'class-transformer';
import mongoose from 'mongoose';
import { Column, DataSource, Entity, ManyToOne, PrimaryColumn } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { SignFields } from '../../src/index.js';
import { parseJsonExactly } from '../../src/core/json/index.js';
import { expectHidden, HIDDEN, PLACES, startSigning } from '../helpers/apps/hidden-fields.js';
import { call } from '../helpers/network/http.js';
import { part } from '../helpers/issuers/keys.js';

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

describe('what a class hides is neither in an answer nor in a token', () => {
  it.each(PLACES)('serializer: %s', (place) => expectHidden(WAYS, place));

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
    const url = await startSigning(Options, 'provider');
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
    const url = await startSigning(Strict, 'global', { strategy: 'excludeAll' });
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
    const url = await startSigning(Answers);
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
  const url = await startSigning(Exact, 'global', { groups: ['a'] });
  const [, payload = ''] = String((await call(url)).json.token).split('.');
  expect(Buffer.from(payload, 'base64url').toString()).toContain('"id":9007199254740993');
});
