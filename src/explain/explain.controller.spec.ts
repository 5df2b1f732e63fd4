import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule } from '../auth/index.js';
import type { Explanation } from '../core/explain/index.js';
import { ErrorFilter } from '../http/index.js';
import { JwksModule } from '../jwks/index.js';
import { Revocations, StateModule } from '../state/index.js';
import { createTestIssuer } from '../testing/index.js';
import { ExplainModule } from './explain.module.js';

const issuer = createTestIssuer();
let app: INestApplication;
let url: string;
beforeAll(async () => {
  const testing = await Test.createTestingModule({
    imports: [
      JwksModule.forRoot(issuer.jwksOptions),
      AuthModule.forRoot(issuer.authOptions),
      StateModule.forRoot({ url: 'memory:', longestTokenTtl: 60 }),
      ExplainModule,
    ],
  }).compile();
  app = testing.createNestApplication();
  app.useGlobalFilters(new ErrorFilter());
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}/_explain`;
});
afterAll(() => app?.close());

const post = (body?: URLSearchParams | string): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body,
    headers: typeof body === 'string' ? { 'content-type': 'application/json' } : {},
  });
const explain = async (token: string): Promise<Explanation> =>
  (await (await post(new URLSearchParams({ token }))).json()) as Explanation;

describe('POST /_explain', () => {
  it('says of a good token that each check passed, to JSON and to a form', async () => {
    const token = await issuer.sign();
    const byJson = await post(JSON.stringify({ token }));
    expect(byJson.status).toBe(200);
    expect(byJson.headers.get('cache-control')).toBe('no-store');
    const explanation = (await byJson.json()) as Explanation;
    expect(explanation.accepted).toBe(true);
    expect(explanation.checks.length).toBeGreaterThan(5);
    expect(explanation.checks.filter(({ verdict }) => verdict === 'refused')).toEqual([]);
    expect(await explain(token)).toEqual(explanation);
  });

  it('says of a refused token which check it failed, and shows no token', async () => {
    const token = await issuer.sign({ exp: 1000 });
    const explanation = await explain(token);
    expect(explanation).toMatchObject({ accepted: false, code: 'token_expired' });
    expect(explanation.checks.find(({ verdict }) => verdict === 'refused')).toMatchObject({
      code: 'token_expired',
    });
    expect(JSON.stringify(explanation)).not.toContain(token.split('.')[2]);
  });

  it('knows of revocations', async () => {
    const token = await issuer.sign({ sub: 'u-9' });
    await app.get(Revocations).revoke({ kind: 'sub', value: 'u-9' });
    expect(await explain(token)).toMatchObject({ accepted: false, code: 'token_revoked' });
  });

  it.each([
    ['no body', undefined],
    ['no token', '{}'],
    ['an empty token', '{"token":""}'],
    ['a token that is no text', '{"token":7}'],
    ['a list', '[]'],
    ['a form without token', new URLSearchParams({ t: 'x' })],
  ])('refuses %s', async (_what, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: 'invalid_request',
      code: 'body_malformed',
    });
  });
});
