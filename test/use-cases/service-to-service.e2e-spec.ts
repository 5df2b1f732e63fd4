import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../helpers/gateway/gateway.js';
import { part } from '../helpers/issuers/keys.js';
import {
  blocksOf,
  environmentOf,
  expectSession,
  startByDefaults,
} from '../helpers/pages/manual.js';
import { custom, postForm } from '../helpers/sessions/sessions.js';

const [START, CALLEE, CALL] = blocksOf('recipes', 'Service to service', 'bash', 'bash', 'bash');
const [BILLING, STOCK] = ['https://billing.internal', 'https://stock.internal'];
let issuer: Gateway;
let billing: Gateway;
let stock: Gateway;

beforeAll(async () => {
  // A second is short enough to see a token end.
  issuer = await startByDefaults({ ...environmentOf(START), SIGNER_ACCESS_TTL: '2' });
  const callee = (audience: string): Promise<Gateway> => {
    const { PORT, VALIDATOR_ISSUER, ...env } = environmentOf(CALLEE);
    expect([PORT, VALIDATOR_ISSUER, env.VALIDATOR_AUDIENCE]).toEqual([
      '8081',
      'http://localhost:8081,http://localhost:8080',
      BILLING,
    ]);
    return startByDefaults({
      ...env,
      // Its own one follows the port.
      VALIDATOR_ISSUER: `http://localhost:0,${issuer.url}`,
      VALIDATOR_AUDIENCE: audience,
    });
  };
  [billing, stock] = await Promise.all([callee(BILLING), callee(STOCK)]);
});
afterAll(() => Promise.all([issuer, billing, stock].map((gateway) => gateway?.stop())));

const tokenFor = async (resource: string): Promise<string> => {
  const client = { client_id: 'demo', client_secret: 'demo-secret' };
  const form = { grant_type: 'client_credentials', ...client, resource };
  return String((await postForm(`${issuer.url}/token`, form)).json.access_token);
};

describe('a service that calls others', () => {
  it('gets a token for the one that it calls, which is worth nothing at another', async () => {
    const token = await tokenFor(BILLING);
    expect(part(token, 1)).toMatchObject({ sub: 'demo', aud: BILLING });
    expect(await custom(billing.url, token)).toBe('200');
    expect(await custom(stock.url, token)).toBe('401 audience_mismatch');
    expect(await custom(issuer.url, token)).toBe('401 audience_mismatch');
    expect(await custom(stock.url, await tokenFor(STOCK))).toBe('200');
  });

  it('has it for a short time', async () => {
    const token = await tokenFor(BILLING);
    const { iat, exp } = part(token, 1);
    expect(Number(exp) - Number(iat)).toBe(2);
    await expect.poll(() => custom(billing.url, token)).toBe('401 token_expired');
    expect(environmentOf(START).SIGNER_ACCESS_TTL).toBe('60');
  });

  it('gets none with a wrong secret', async () => {
    const form = { grant_type: 'client_credentials', client_id: 'demo', client_secret: 'x' };
    expect((await postForm(`${issuer.url}/token`, form)).status).toBe(401);
  });

  it('does what the recipe shows', async () => {
    await expectSession(CALL.replaceAll('http://localhost:8081', billing.url), issuer.url);
  });
});
