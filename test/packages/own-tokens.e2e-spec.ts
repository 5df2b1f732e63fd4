import { rmSync } from 'node:fs';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../helpers/apps/compile.js';
import {
  USUAL_PACKAGES,
  createConsumer,
  ES_MODULES,
  pack,
  startConsumer,
  type RunningConsumer,
} from '../helpers/apps/consumer.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { freePort } from '../helpers/run/free-port.js';
import { call, callWith } from '../helpers/network/http.js';
import { part } from '../helpers/issuers/keys.js';
import { bash, blocksOf, writeBlock } from '../helpers/pages/manual.js';
import { verdictOf } from '../helpers/sessions/sessions.js';

/** What the main file of the manual does not do: make a user, and say where it listens. */
const BESIDE = `
import { observe } from './observe.js';
import { Users } from './users.js';
await app.get(Users).add('ada', 'lovelace', 'reader');
await app.get(Users).add('guest', 'guest');
console.log(JSON.stringify({ url: await app.getUrl() }));
`;

describe('an application with users of its own, as printed', () => {
  let directory: string;
  let issuer: string;
  let metrics: number;
  let app: RunningConsumer | undefined;
  let config: client.Configuration;

  beforeAll(async () => {
    const [users, module] = blocksOf('library', 'A token service of your own', 'ts', 'ts');
    const [observe] = blocksOf('library', 'Parts', 'ts');
    const [generate, , main] = blocksOf('library', 'An application', 'bash', 'ts', 'ts');
    const { tarball } = await pack();
    directory = await createConsumer(tarball, ES_MODULES, [
      ...USUAL_PACKAGES,
      '@prometheus-io/client',
      'pino',
      'typeorm',
      '@nestjs/typeorm',
      'sql.js',
      '@nestjs/swagger',
    ]);
    await bash(generate, {}, directory);
    const port = String(await freePort());
    issuer = `http://localhost:${port}`;
    metrics = await freePort();
    const observed = module
      .replace('import { User,', `import { MetricsModule } from 'nest-signet/metrics';\n$&`)
      .replace(
        'signet.ThrottleModule',
        `MetricsModule.forRoot({ host: '127.0.0.1', port: ${metrics} }), $&`,
      );
    const observing = `${main.replace('await app.listen', 'observe(app);\n$&')}${BESIDE}`;
    for (const block of [users, observed, observe, observing]) writeBlock(block, directory);
    const problems = compile(directory);
    if (problems !== '') throw new Error(problems);
    app = await startConsumer(directory, { PORT: port, ISSUER: issuer });
    config = await client.discovery(new URL(issuer), 'web', undefined, client.None(), {
      execute: [client.allowInsecureRequests],
    });
  }, 120_000);
  afterAll(async () => {
    await app?.stop();
    rmSync(directory, { recursive: true });
  });

  const logIn = (username: string, password: string) =>
    client.genericGrantRequest(config, 'password', { username, password });
  const me = async (token: string): Promise<string> => {
    const answer = await callWith(`${issuer}/me`, token);
    return answer.status === 200 ? answer.text : verdictOf(answer);
  };
  const refusalOf = (request: Promise<unknown>): Promise<string> =>
    request.then(
      () => 'none',
      (error: client.ResponseBodyError) => `${error.status} ${error.error}`,
    );

  it('tells clients where everything is, and nothing else', () => {
    expect(config.serverMetadata()).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/token/revoke`,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      grant_types_supported: ['password', 'refresh_token'],
    });
    expect(config.serverMetadata()).not.toHaveProperty('introspection_endpoint');
  });

  it('logs users in, with their roles of its database', async () => {
    const tokens = await logIn('ada', 'lovelace');
    const [key] = (await call(`${issuer}/.well-known/jwks.json`)).json.keys as [{ kid: string }];
    expect(part(tokens.access_token, 0)).toMatchObject({ alg: 'ES256', kid: key.kid });
    expect(part(tokens.access_token, 1)).toMatchObject({
      iss: issuer,
      aud: 'https://api.example.com',
      sub: 'ada',
      roles: ['reader'],
    });
    expect(await me(tokens.access_token)).toBe('{"name":"ada"}');
    expect(await me((await logIn('guest', 'guest')).access_token)).toBe('403 roles_missing');
    expect(await me(tokens.refresh_token as string)).toBe('401 invalid_token');
  });

  it.each([
    ['ada', 'byron'],
    ['ada', ''],
    ['eve', ''],
    ['', ''],
  ])('refuses %s with the password "%s"', async (username, password) => {
    expect(await refusalOf(logIn(username, password))).toBe('400 invalid_grant');
  });

  it('takes JSON as well as a form, and no other grant', async () => {
    const send = (body: object) =>
      call(`${issuer}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await send({ username: 'ada', password: 'lovelace' })).status).toBe(200);
    expect(verdictOf(await send({}))).toBe('400 login_refused');
    const other = { grant_type: 'client_credentials', username: 'ada', password: 'lovelace' };
    const refused = await send(other);
    expect([verdictOf(refused), refused.json.error]).toEqual([
      '400 grant_unsupported',
      'unsupported_grant_type',
    ]);
  });

  it('goes on with a session by its refresh tokens, each of which is good once', async () => {
    const first = await logIn('ada', 'lovelace');
    const second = await client.refreshTokenGrant(config, first.refresh_token as string);
    expect(part(second.access_token, 1)).toMatchObject({
      sub: 'ada',
      roles: ['reader'],
      sid: part(first.access_token, 1).sid,
    });
    const third = await client.refreshTokenGrant(config, second.refresh_token as string);
    expect(await me(third.access_token)).toBe('{"name":"ada"}');
    const again = client.refreshTokenGrant(config, first.refresh_token as string);
    expect(await refusalOf(again)).toBe('400 invalid_grant');
    // Somebody has a copy: the session is over.
    expect(await me(third.access_token)).toBe('401 invalid_token');
  });

  it('ends a session at logout, and a token at its revocation', async () => {
    const one = await logIn('ada', 'lovelace');
    expect(await me(one.access_token)).toBe('{"name":"ada"}');
    const headers = { authorization: `Bearer ${one.access_token}` };
    expect((await call(`${issuer}/logout`, { method: 'POST', headers })).status).toBe(204);
    expect(await me(one.access_token)).toBe('401 invalid_token');
    const refreshed = client.refreshTokenGrant(config, one.refresh_token as string);
    expect(await refusalOf(refreshed)).toBe('400 invalid_grant');

    const other = await logIn('ada', 'lovelace');
    await client.tokenRevocation(config, other.refresh_token as string);
    expect(await me(other.access_token)).toBe('401 invalid_token');
  });

  it('is described, counted and logged where it asks for that', async () => {
    const { paths, components } = (await call(`${issuer}/docs-json`))
      .json as unknown as OpenAPIObject;
    const { post } = paths['/token'] ?? {};
    expect(post?.responses['200']).toMatchObject({
      content: {
        'application/json': {
          schema: { $ref: '#/components/schemas/TokenResponse' },
        },
      },
    });
    expect(components?.schemas?.TokenResponse).toMatchObject({
      properties: { access_token: { format: 'jwt' } },
    });
    expect(Object.keys(post?.responses ?? {})).toContain('429');
    expect(Object.keys(post?.responses ?? {})).not.toContain('504');
    expect(paths['/me']?.get?.security).toEqual([{ login: [] }, { bearer: [] }]);
    const { text } = await call(`http://127.0.0.1:${metrics}/metrics`);
    expect(text).toMatch(/^signet_logins_total\{outcome="succeeded"\} [1-9]/m);
    expect(text).toMatch(/^signet_tokens_signed_total\{.*\} [1-9]/m);
    expect(text).not.toContain('signet_backend');
  });

  it('limits the attempts of an address', async () => {
    const send = () => call(`${issuer}/token`, { method: 'POST' });
    let answer = await send();
    for (let i = 0; i < 60 && answer.status !== 429; i++) answer = await send();
    expect(verdictOf(answer)).toBe('429 rate_limited');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
