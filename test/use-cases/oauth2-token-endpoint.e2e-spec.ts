import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../helpers/gateway/gateway.js';
import {
  blocksOf,
  environmentOf,
  expectSession,
  startByDefaults,
} from '../helpers/pages/manual.js';
import { custom } from '../helpers/sessions/sessions.js';

const [START, SESSION] = blocksOf('recipes', 'OAuth2 token endpoint', 'bash', 'bash');
let gateway: Gateway;
let config: client.Configuration;

beforeAll(async () => {
  gateway = await startByDefaults(environmentOf(START));
  config = await client.discovery(new URL(gateway.url), 'shop', undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
});
afterAll(() => gateway?.stop());

describe('a backend that knows nothing of OAuth2, behind the gateway', () => {
  const logIn = () =>
    client.genericGrantRequest(config, 'password', { username: 'alice', password: 'wonderland' });

  it('is a token endpoint for a client from npm', async () => {
    const first = await logIn();
    const { access_token: access, refresh_token: refresh = '', expires_in: seconds } = first;
    expect(seconds).toBe(3600);
    expect(await custom(gateway.url, access)).toBe('200');
    const second = await client.refreshTokenGrant(config, refresh);
    expect(await custom(gateway.url, second.access_token)).toBe('200');
    await client.tokenRevocation(config, second.refresh_token ?? '');
    for (const token of [access, second.access_token])
      expect(await custom(gateway.url, token)).toBe('401 token_revoked');
    await expect(
      client.refreshTokenGrant(config, second.refresh_token ?? ''),
    ).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('answers errors that a client understands', async () => {
    const wrong = client.genericGrantRequest(config, 'password', {
      username: 'alice',
      password: 'x',
    });
    await expect(wrong).rejects.toMatchObject({ error: 'invalid_grant' });
    const strange = client.genericGrantRequest(config, 'urn:example:telepathy', {});
    await expect(strange).rejects.toMatchObject({ error: 'unsupported_grant_type' });
  });

  it('does what the recipe shows', async () => {
    await expectSession(SESSION, gateway.url);
  });
});
