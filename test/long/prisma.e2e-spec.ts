import { execFile } from 'node:child_process';
import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Controller, Get, Param } from '@nestjs/common';
import { Exclude } from 'class-transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignFields } from '../../src/index.js';
import { expectHidden, HIDDEN, PLACES, startSigning } from '../helpers/apps/hidden-fields.js';
import type { HidingWays } from '../helpers/apps/hidden-fields.js';
import { call } from '../helpers/network/http.js';
import { keptInstall } from '../helpers/apps/kept-install.js';
import { part } from '../helpers/issuers/keys.js';
import { tempFolder } from '../helpers/run/resources.js';

/** Records of a real Prisma client, with its driver adapter for SQLite, in signed fields. */

const FOLDER = 'test/packages/consumers/prisma';
/** As `prisma migrate` makes it of the schema; that alone needs an engine, which has to be downloaded. */
const TABLE = `CREATE TABLE "User" ("sub" TEXT NOT NULL PRIMARY KEY, "x" TEXT NOT NULL,
  "balance" DECIMAL NOT NULL, "visits" BIGINT NOT NULL, "picture" BLOB NOT NULL,
  "since" DATETIME NOT NULL, "prefers" JSONB NOT NULL,
  "friendOf" TEXT REFERENCES "User" ("sub"))`;

type Query = Readonly<Record<string, unknown>>;
interface Users {
  create(query: Query): Promise<object>;
  findUniqueOrThrow(query: Query): Promise<object>;
}
interface Client {
  readonly user: Users;
  $executeRawUnsafe(sql: string): Promise<number>;
  $extends(extension: Query): Client;
  $disconnect(): Promise<void>;
}

/** Makes the client of the schema, and the table. */
async function openClient(): Promise<(options: Query) => Client> {
  const kept = await keptInstall(FOLDER);
  const folder = tempFolder('prisma');
  copyFileSync(join(FOLDER, 'schema.prisma'), join(folder, 'schema.prisma'));
  symlinkSync(join(kept, 'node_modules'), join(folder, 'node_modules'));
  const prisma = join(kept, 'node_modules/prisma/build/index.js');
  await promisify(execFile)(process.execPath, [prisma, 'generate'], {
    cwd: folder,
    env: {
      ...process.env,
      CHECKPOINT_DISABLE: '1',
      // Asked for and not used: else the command downloads it.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    },
  });
  const { PrismaClient } = (await import(join(folder, 'generated/client.ts'))) as {
    PrismaClient: new (options: Query) => Client;
  };
  const { PrismaLibSql } = (await import(
    join(kept, 'node_modules/@prisma/adapter-libsql/dist/index-node.mjs')
  )) as { PrismaLibSql: new (options: Query) => object };
  const url = `file:${join(folder, 'users.db')}`;
  return (options) => new PrismaClient({ adapter: new PrismaLibSql({ url }), ...options });
}

let client: Client;
let omitting: Client;
beforeAll(async () => {
  const open = await openClient();
  client = open({});
  omitting = open({ omit: { user: { x: true } } });
  await client.$executeRawUnsafe(TABLE);
  for (const [sub, friendOf] of [['u1'], ['friend', 'u1']])
    await client.user.create({
      data: {
        sub,
        friendOf,
        x: HIDDEN,
        balance: '12.50',
        visits: 7n,
        picture: Buffer.from('png'),
        since: new Date(0),
        prefers: { tea: ['green'] },
      },
    });
}, 240_000);
afterAll(async () => {
  await client.$disconnect();
  await omitting.$disconnect();
});

const where = { sub: 'u1' };
/** What claims cannot hold, and what is tried by itself below. */
const omit = { visits: true, picture: true, since: true };

describe('what a query of Prisma hides is neither in an answer nor in a token', () => {
  class UserEntity {
    @Exclude() x!: string;
    constructor(record: object) {
      Object.assign(this, record);
    }
  }
  const ways = async (): Promise<HidingWays> => {
    const computed = client.$extends({
      result: { user: { x: { needs: {}, compute: () => undefined } } },
    });
    const records = {
      'omit of the client': await omitting.user.findUniqueOrThrow({ where, omit }),
      'omit of the client, with relations': await omitting.user.findUniqueOrThrow({
        where,
        omit,
        include: { friends: { omit } },
      }),
      'omit of the query': await client.user.findUniqueOrThrow({
        where,
        omit: { ...omit, x: true },
      }),
      select: await client.user.findUniqueOrThrow({
        where,
        select: { sub: true, balance: true, friends: { select: { sub: true } } },
      }),
      'a member that an extension computes': await computed.user.findUniqueOrThrow({ where, omit }),
    };
    const found = await client.user.findUniqueOrThrow({ where, omit });
    expect(found).toMatchObject({ x: HIDDEN });
    return {
      ...Object.fromEntries(Object.entries(records).map(([name, record]) => [name, () => record])),
      "a class with @Exclude(), as in Nest's documentation": () => new UserEntity(found),
    };
  };

  it.each(PLACES)('serializer: %s', async (place) => expectHidden(await ways(), place));
});

const FOR_ALL_ROUTES = ['none', 'global', 'provider'] as const;
it.each(FOR_ALL_ROUTES)(
  'values are signed as JSON has them, or named; serializer: %s',
  async (place) => {
    @Controller()
    class Values {
      @Get(':name')
      @SignFields()
      async value(@Param('name') name: string) {
        const record = await client.user.findUniqueOrThrow({ where, select: { [name]: true } });
        return { token: record, sibling: name === 'visits' ? {} : record };
      }
      @Get('beside/visits')
      @SignFields()
      async beside() {
        return { token: {}, user: await client.user.findUniqueOrThrow({ where }) };
      }
    }
    const url = await startSigning(Values, place);
    const said = async (name: string): Promise<unknown> => {
      const { status, json } = await call(`${url}/${name}`);
      if (status !== 200) return [status, json.code, json.error_description];
      return [status, part(String(json.token), 1), json.sibling];
    };
    const signed = (value: object): unknown => [200, expect.objectContaining(value), value];
    const refused = (text: string): unknown => [
      502,
      'sign_target_invalid',
      expect.stringContaining(text),
    ];
    expect(await said('balance')).toEqual(signed({ balance: '12.5' }));
    expect(await said('prefers')).toEqual(signed({ prefers: { tea: ['green'] } }));
    expect(await said('visits')).toEqual(refused("'token.visits' holds a BigInt"));
    // The serializer of Nest makes an object of bytes, as JSON does; that is what the client sees.
    expect(await said('picture')).toEqual(
      place === 'none'
        ? refused("'token.picture' holds a Uint8Array")
        : signed({ picture: { 0: 112, 1: 110, 2: 103 } }),
    );
    expect(await said('since')).toEqual(refused("'token.since' holds a Date"));
    expect(await said('beside/visits')).toEqual(refused("'user.visits' holds a BigInt"));
  },
);
