import { describe, expect, it } from 'vitest';
import { login, refreshSession } from './login.js';

const FORM = 'application/x-www-form-urlencoded';
const ask = (
  body: string,
  authorization?: string,
): Record<string, Record<string, unknown>> & { error?: unknown } => {
  const { status, answer } = login(FORM, body, authorization);
  return { status, ...answer } as never;
};
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the demo login', () => {
  it('names the client of the request, or demo', () => {
    expect(ask('').access_token?.client_id).toBe('demo');
    expect(ask('username=bob&password=builder&client_id=app').access_token?.client_id).toBe('app');
    expect(ask('username=bob&password=builder', basic('a%3Ab:')).access_token?.client_id).toBe(
      'a:b',
    );
  });

  it('grants scopes that are words', () => {
    expect(ask('username=bob&password=builder&scope=read+write')).toMatchObject({
      scope: 'read write',
      access_token: { scope: 'read write' },
    });
    expect(ask('username=bob&password=builder&scope=a++b').error).toBe('invalid_scope');
  });

  it('knows a client by its secret, in the body or by Basic', () => {
    const grant = 'grant_type=client_credentials';
    for (const answer of [
      ask(`${grant}&client_id=demo&client_secret=demo-secret`),
      ask(grant, basic('demo:demo-secret')),
    ]) {
      expect(answer.access_token).toMatchObject({ sub: 'demo', client_id: 'demo' });
      expect(answer.refresh_token).toBeUndefined();
    }
    expect(ask(`${grant}&client_id=demo&client_secret=x`)).toMatchObject({
      status: 401,
      error: 'invalid_client',
    });
    expect(ask(grant).error).toBe('invalid_client');
    expect(ask(grant, basic('__proto__:x')).error).toBe('invalid_client');
  });

  it('refuses a wrong secret, whatever the grant', () => {
    const bob = 'username=bob&password=builder';
    expect(ask(bob, basic('demo:demo-secret')).access_token?.client_id).toBe('demo');
    const session = JSON.stringify({ sub: ask(bob).refresh_token?.sub });
    expect(refreshSession(session, basic('demo:demo-secret')).status).toBe(200);
    for (const wrong of ['demo:x', 'nobody:demo-secret', ':demo-secret']) {
      const refusal = { status: 401, error: 'invalid_client' };
      expect(ask(bob, basic(wrong))).toMatchObject(refusal);
      const { status, answer } = refreshSession(session, basic(wrong));
      expect({ status, ...answer }).toMatchObject(refusal);
    }
    expect(ask(`${bob}&client_id=demo&client_secret=x`).error).toBe('invalid_client');
  });

  it('takes an empty parameter for none', () => {
    expect(ask('username=bob&password=builder&scope=&client_id=')).toMatchObject({
      status: 200,
      access_token: { client_id: 'demo' },
    });
    expect(ask('username=bob&password=').error).toBe('invalid_request');
  });

  it('refuses other grants and wrong passwords', () => {
    expect(ask('grant_type=implicit').error).toBe('unsupported_grant_type');
    expect(ask('username=bob&password=x')).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(ask('username=bob')).toMatchObject({ status: 400, error: 'invalid_request' });
    const json = (body: string): unknown => login('application/json', body);
    expect(json('{"username":["bob"],"password":1}')).toMatchObject({
      status: 400,
      answer: { error: 'invalid_grant' },
    });
    expect(json('null')).toMatchObject({ status: 400, answer: { error: 'invalid_request' } });
  });

  it('leaves iss and aud to the gateway, and grants the audience that is asked for', () => {
    const { access_token: access, refresh_token: refresh } = ask('username=bob&password=builder');
    for (const claims of [access, refresh])
      expect(Object.keys(claims ?? {}).filter((name) => /^(?:iss|aud)$/.test(name))).toEqual([]);
    expect(ask('username=bob&password=builder&resource=https://b').access_token?.aud).toBe(
      'https://b',
    );
  });

  it('goes on with the session of a user that there still is', () => {
    const first = ask('username=bob&password=builder&resource=https://b&client_id=app&scope=a+b');
    const { sub, ...claims } = first.refresh_token ?? {};
    const { status: _status, ...answer } = first;
    expect(answer).toMatchObject({
      access_token: { sub, aud: 'https://b', roles: ['role_y'], client_id: 'app', scope: 'a b' },
      scope: 'a b',
    });
    // The same again, scope and audience included (RFC 6749 section 6).
    expect(refreshSession(JSON.stringify({ sub, claims: { ...claims, sub } }))).toEqual({
      status: 200,
      answer,
    });
    const request = { scope: 'a', resource: ['https://c'] };
    expect(refreshSession(JSON.stringify({ sub, claims: { ...claims, sub }, request }))).toEqual({
      status: 200,
      answer: {
        ...answer,
        access_token: { ...answer.access_token, scope: 'a', aud: ['https://c'] },
        scope: 'a',
      },
    });
    for (const body of ['', '{}', '[]', JSON.stringify({ sub: 'nobody' })])
      expect(refreshSession(body)).toMatchObject({
        status: 400,
        answer: { error: 'invalid_grant' },
      });
  });
});
