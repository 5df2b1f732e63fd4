import { once } from 'node:events';
import { expect, it } from 'vitest';
import { FULL } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { tokenOf } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { tempFolder } from '../helpers/run/resources.js';

const REVOCATIONS = FULL ? 10_000 : 600;
const PER_LIFE = FULL ? 700 : 200;
const IN_PARALLEL = 20;

it(`kill -9 of the gateway, again and again during ${REVOCATIONS} revocations, loses none that was answered`, async () => {
  const cwd = tempFolder();
  const key = await generateJwk('HS256', 'sim2');
  const env = { SIGNER_JWK_LOCAL_PATH: writeKeys([key]), ADMIN_ROLES: 'ops' };
  const headers = {
    authorization: `Bearer ${await tokenOf(key, { roles: ['ops'] })}`,
    'content-type': 'application/json',
  };
  const answered = new Set<string>();
  let next = 0;
  let kills = 0;
  while (answered.size < REVOCATIONS) {
    const gateway = await startGateway(env, cwd);
    const enough = answered.size + PER_LIFE;
    const send = async (): Promise<void> => {
      for (;;) {
        const jti = `token-${next++}`;
        const body = JSON.stringify({ jti });
        try {
          const url = `${gateway.url}/admin/revocations`;
          if ((await call(url, { method: 'POST', headers, body })).status !== 201) return;
        } catch {
          return;
        }
        answered.add(jti);
        // In the middle of the others' requests.
        if (answered.size === enough) gateway.process.kill('SIGKILL');
      }
    };
    const exited = once(gateway.process, 'exit');
    await Promise.all(Array.from({ length: IN_PARALLEL }, send));
    gateway.process.kill('SIGKILL');
    await exited;
    kills++;
  }

  const gateway = await startGateway(env, cwd);
  const found = new Set<unknown>();
  let after = '';
  do {
    const { json } = await call(`${gateway.url}/admin/revocations?limit=1000${after}`, { headers });
    for (const { jti } of json.revocations as { jti?: string }[]) found.add(jti);
    after = typeof json.next === 'string' ? `&after=${json.next}` : '';
  } while (after !== '');
  const lost = [...answered].filter((jti) => !found.has(jti));
  figure(`${answered.size} revocations answered, ${kills} kills: ${lost.length} lost`);
  expect(lost).toEqual([]);
  const [one = ''] = answered;
  const token = await tokenOf(key, { jti: one });
  const { status } = await call(`${gateway.url}/private/custom`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(status).toBe(401);
  await gateway.stop();
}, 300_000);
