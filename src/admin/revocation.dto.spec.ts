import type { Type } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  CreateRevocationDto,
  ListRevocationsDto,
  revokedName,
  toResponse,
} from './revocation.dto.js';
import { STRICT } from './strict-input.js';

const read = <T extends object>(metatype: Type<T>, value: unknown): Promise<T> =>
  STRICT.transform(value, { type: 'body', metatype }) as Promise<T>;
const accepts = (metatype: Type<object>, value: unknown): Promise<boolean> =>
  read(metatype, value).then(
    () => true,
    () => false,
  );

describe('CreateRevocationDto', () => {
  it.each([
    { jti: 'a' },
    { sub: 42 },
    { sub: 'x'.repeat(1024) },
    { sid: '__proto__' },
    { kid: 'a', before: 0, reason: '' },
    { kid: 'a', before: 253_402_300_799, reason: 'x'.repeat(500) },
    // Which of the names are given is looked at by revokedName.
    {},
  ])('takes %j', async (body) => {
    expect(await accepts(CreateRevocationDto, body)).toBe(true);
  });

  it.each([
    { sub: '' },
    { sub: 'x'.repeat(1025) },
    { sub: ['a'] },
    { sub: true },
    { sub: { $ne: 'a' } },
    { sub: 'a', before: -1 },
    { sub: 'a', before: 1.5 },
    { sub: 'a', before: '1' },
    // The year 10000, e.g. because of milliseconds.
    { sub: 'a', before: 253_402_300_800 },
    { sub: 'a', reason: 'x'.repeat(501) },
    { sub: 'a', reason: 7 },
    // A name that is ignored could be the one that was meant.
    { sub: 'a', user: 'b' },
  ])('refuses %j', async (body) => {
    expect(await accepts(CreateRevocationDto, body)).toBe(false);
  });
});

describe('ListRevocationsDto', () => {
  it.each([
    [{}, 100, undefined],
    [{ limit: '1' }, 1, undefined],
    [{ limit: '1000', after: 'x' }, 1000, 'x'],
    [{ after: 'x'.repeat(100) }, 100, 'x'.repeat(100)],
  ])('takes %j', async (query, limit, after) => {
    expect(await read(ListRevocationsDto, query)).toMatchObject({ limit, ...(after && { after }) });
  });

  it.each([
    { limit: '0' },
    { limit: '-1' },
    { limit: '1001' },
    { limit: '01' },
    { limit: '1e2' },
    { limit: '0x10' },
    { limit: ' 5' },
    { limit: '' },
    { limit: 'x' },
    { limit: ['5', '6'] },
    { after: '' },
    { after: 'x'.repeat(101) },
    { after: ['a', 'b'] },
    { page: '2' },
  ])('refuses %j', async (query) => {
    expect(await accepts(ListRevocationsDto, query)).toBe(false);
  });
});

describe('revokedName', () => {
  it.each([
    [{ jti: 'a' }, { kind: 'jti', value: 'a' }],
    [{ sub: 42 }, { kind: 'sub', value: '42' }],
    [
      { sid: 's', before: 5, reason: 'left' },
      { kind: 'sid', value: 's' },
    ],
    [{ kid: 'k' }, { kind: 'kid', value: 'k' }],
    [{}, undefined],
    [{ before: 5 }, undefined],
    [{ jti: 'a', sub: 'b' }, undefined],
  ])('of %j is %j', (dto, name) => {
    expect(revokedName(dto)).toEqual(name);
  });
});

describe('toResponse', () => {
  const id = '5b0e7f0c-7f2f-4d7e-9f0c-3d8f3f0c7f2f';

  it('shows a revocation under the name of its claim', () => {
    expect(
      toResponse({
        id,
        kind: 'sub',
        value: '42',
        before: 5,
        reason: 'left',
        createdAt: 6,
        expiresAt: 7,
      }),
    ).toEqual({ id, sub: '42', before: 5, reason: 'left', created_at: 6, expires_at: 7 });
  });

  it('leaves out what there is not', () => {
    const revocation = { id, kind: 'kid', value: 'k', before: null, createdAt: 6, expiresAt: null };
    expect(toResponse(revocation as Parameters<typeof toResponse>[0])).toEqual({
      id,
      kid: 'k',
      created_at: 6,
    });
  });
});
