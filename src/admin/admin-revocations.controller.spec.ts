import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthGuard } from '../auth/index.js';
import { ErrorFilter } from '../http/index.js';
import { Revocations, type Revocation } from '../state/index.js';
import { AdminRevocationsController } from './admin-revocations.controller.js';

const revocations = {
  revoke: vi.fn<Revocations['revoke']>(),
  list: vi.fn<Revocations['list']>(),
  undo: vi.fn<Revocations['undo']>(),
};
const revocation = (value: string): Revocation => ({
  id: randomUUID(),
  kind: 'sub',
  value,
  before: null,
  createdAt: 1_700_000_000,
  expiresAt: null,
});

let allowed: boolean;
let app: INestApplication;
let url: string;
beforeAll(async () => {
  const testing = await Test.createTestingModule({
    controllers: [AdminRevocationsController],
    providers: [{ provide: Revocations, useValue: revocations }],
  })
    .overrideGuard(AuthGuard)
    .useValue({ canActivate: () => allowed })
    .compile();
  app = testing.createNestApplication();
  app.useGlobalFilters(new ErrorFilter());
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}/admin/revocations`;
});
afterAll(() => app?.close());
beforeEach(() => {
  allowed = true;
  for (const method of Object.values(revocations)) method.mockReset();
});

const post = (body: object): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('POST /admin/revocations', () => {
  it('revokes by the one name that is given', async () => {
    revocations.revoke.mockResolvedValue(revocation('42'));
    const response = await post({ sub: 42, before: 5, reason: 'left' });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      id: expect.any(String) as string,
      sub: '42',
      created_at: 1_700_000_000,
    });
    expect(revocations.revoke).toHaveBeenCalledExactlyOnceWith({
      kind: 'sub',
      value: '42',
      before: 5,
      reason: 'left',
    });
  });

  it('takes null for absent', async () => {
    revocations.revoke.mockResolvedValue(revocation('u'));
    const body = { jti: null, sub: 'u', sid: null, kid: null, before: null, reason: null };
    expect((await post(body)).status).toBe(201);
    // `before: null` would mean every login to come, too.
    expect(revocations.revoke).toHaveBeenCalledExactlyOnceWith({
      kind: 'sub',
      value: 'u',
      before: undefined,
      reason: undefined,
    });
  });

  it.each([{}, { jti: 'a', sub: 'b' }, { sub: 'a', user: 'b' }, { sub: '' }, ['a']])(
    'refuses %j, and revokes nothing',
    async (body) => {
      const response = await post(body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'body_malformed' });
      expect(revocations.revoke).not.toHaveBeenCalled();
    },
  );
});

describe('GET /admin/revocations', () => {
  it('gives a page, and where the next one begins when this one is full', async () => {
    const [first, second] = [revocation('1'), revocation('2')];
    revocations.list.mockResolvedValue([first, second]);
    const full = await fetch(`${url}?limit=2&after=x`);
    expect(full.headers.get('cache-control')).toBe('no-store');
    expect(await full.json()).toMatchObject({
      revocations: [{ sub: '1' }, { sub: '2' }],
      next: second.id,
    });
    expect(revocations.list).toHaveBeenCalledExactlyOnceWith({ limit: 2, after: 'x' });
    expect(await (await fetch(`${url}?limit=3`)).json()).not.toHaveProperty('next');
  });

  it('gives pages of 100 unless told otherwise', async () => {
    revocations.list.mockResolvedValue([]);
    expect(await (await fetch(url)).json()).toEqual({ revocations: [] });
    expect(revocations.list).toHaveBeenCalledExactlyOnceWith({ limit: 100, after: undefined });
  });

  it.each(['limit=0', 'limit=1001', 'limit=1&limit=2', 'limit[]=5', 'after=', 'page=2'])(
    'refuses ?%s',
    async (query) => {
      expect((await fetch(`${url}?${query}`)).status).toBe(400);
      expect(revocations.list).not.toHaveBeenCalled();
    },
  );
});

describe('DELETE /admin/revocations/:id', () => {
  const id = randomUUID();
  const undo = (path: string): Promise<Response> => fetch(`${url}/${path}`, { method: 'DELETE' });

  it('undoes a revocation', async () => {
    revocations.undo.mockResolvedValue(true);
    expect((await undo(id)).status).toBe(204);
    expect(revocations.undo).toHaveBeenCalledExactlyOnceWith(id);
  });

  it('knows of no other one', async () => {
    revocations.undo.mockResolvedValue(false);
    const response = await undo(id);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: 'not_found',
      error_description: 'There is no such revocation.',
    });
  });

  it('refuses an id that is none', async () => {
    expect((await undo('x')).status).toBe(400);
    expect(revocations.undo).not.toHaveBeenCalled();
  });
});

it.each(['GET', 'POST', 'DELETE'])('%s asks the guard first', async (method) => {
  allowed = false;
  const path = method === 'DELETE' ? `/${randomUUID()}` : '';
  expect((await fetch(url + path, { method })).status).toBe(403);
  for (const called of Object.values(revocations)) expect(called).not.toHaveBeenCalled();
});
