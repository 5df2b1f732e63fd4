import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificate } from './helpers/network/certificate.js';
import { hostGateway } from './helpers/gateway/host.js';
import {
  provokeFetch,
  readiness,
  strangeToken,
  tokenOf,
  verdict,
} from './helpers/issuers/issuer.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf } from './helpers/issuers/keys.js';
import { tempFolder } from './helpers/run/resources.js';

const authority = createCertificate('Test CA');
const leaf = createCertificate('jwks.test', authority.authority);
const single = createCertificate('self-signed');
const folder = tempFolder('tls');
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const CA = file('ca.pem', authority.cert);
const SINGLE = file('single.pem', single.cert);

describe('a JWK URL over TLS', () => {
  let key: JWK;
  let chained: JwksServer, selfSigned: JwksServer;

  beforeAll(async () => {
    key = await generateJwk('ES256', 'k1');
    chained = await startJwksServer([publicHalf(key)], {
      cert: leaf.cert + authority.cert,
      key: leaf.key,
    });
    selfSigned = await startJwksServer([publicHalf(key)], single);
  });
  afterAll(() => Promise.all([chained.down(), selfSigned.down()]));

  /** What becomes of a good token, and the log. */
  async function judge(
    server: JwksServer,
    env: Record<string, string>,
  ): Promise<{ verdict: string; ready: number; output: () => string; url: string }> {
    const gateway = await hostGateway({
      VALIDATOR_JWK_URL: server.url,
      VALIDATOR_ALG: 'ES256',
      ...env,
    });
    return {
      verdict: await verdict(gateway.url, await tokenOf(key)),
      ready: await readiness(gateway.url),
      output: () => gateway.output(),
      url: gateway.url,
    };
  }
  const REFUSED = { verdict: '503 keys_unavailable', ready: 503 };
  const ACCEPTED = { verdict: '200', ready: 200 };

  it('fails without the CA file, whatever switches security off', async () => {
    const seen = await judge(selfSigned, {
      DISABLE_JWK_SECURITY: 'true',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      VALIDATOR_JWK_FINGERPRINTS: single.pin,
    });
    expect(seen).toMatchObject(REFUSED);
    await expect
      .poll(seen.output)
      .toMatch(/certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    expect(selfSigned.fetches).toEqual([]);
  });

  it('works with the CA file: a self-signed certificate, and one of an authority', async () => {
    expect(await judge(selfSigned, { VALIDATOR_JWK_LOCAL_CA: SINGLE })).toMatchObject(ACCEPTED);
    expect(await judge(chained, { VALIDATOR_JWK_LOCAL_CA: CA })).toMatchObject(ACCEPTED);
  });

  it('takes a matching pin of the leaf only, and on each connection', async () => {
    const before = chained.fetches.length;
    for (const { pin } of [single, authority]) {
      const wrong = await judge(chained, {
        VALIDATOR_JWK_LOCAL_CA: CA,
        VALIDATOR_JWK_FINGERPRINTS: pin,
      });
      expect(wrong).toMatchObject(REFUSED);
      await expect.poll(wrong.output).toMatch(/public key matches none of the fingerprints/);
    }
    expect(chained.fetches).toHaveLength(before);
    const right = await judge(chained, {
      VALIDATOR_JWK_LOCAL_CA: CA,
      VALIDATOR_JWK_FINGERPRINTS: `${single.pin},${leaf.pin}`,
      VALIDATOR_JWK_COOLDOWN: '1',
    });
    expect(right).toMatchObject(ACCEPTED);
    const { url } = right;
    await provokeFetch(url, chained);
    expect(await verdict(url, strangeToken())).toBe('401 key_not_found');
    expect(await verdict(url, await tokenOf(key))).toBe('200');
  });
});
