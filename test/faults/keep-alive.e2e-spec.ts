// F47: connections that a load balancer keeps, at every idle time that it allows. That the header says so is shown by
// server-limits.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FULL } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway } from '../helpers/gateway/gateway.js';

/** Of a balancer: it closes what was idle for longer, as those of the clouds do. */
const IDLE_MS = 60_000;
/** Between two requests of a connection at most: some wait until the balancer has closed it. */
const LONGEST_GAP_MS = 70_000;
const CONNECTIONS = FULL ? 5000 : 500;
const REQUESTS_OF_EACH = FULL ? 20 : 3;

/** What a client of the balancer gets; 502 where its connection to the gateway broke. */
const send = (url: string, agent: Agent): Promise<{ status: number; reused: boolean }> =>
  new Promise((resolve) => {
    const call = request(`${url}/token`, { method: 'POST', agent }, (response) => {
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 502, reused: call.reusedSocket }),
      );
      response.on('error', () => resolve({ status: 502, reused: call.reusedSocket }));
      response.resume();
    });
    call.on('error', () => resolve({ status: 502, reused: call.reusedSocket }));
    call.end();
  });

it('F47 no request finds its connection closed, however long that was idle', async () => {
  const gateway = await startGateway({});
  const statuses = new Map<number, number>();
  let requests = 0;
  let reused = 0;
  let longest = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      let agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let left = REQUESTS_OF_EACH; left > 0; left--) {
        const gap = Math.random() * LONGEST_GAP_MS;
        await sleep(Math.min(gap, IDLE_MS));
        if (gap >= IDLE_MS) {
          agent.destroy();
          agent = new Agent({ keepAlive: true, maxSockets: 1 });
          await sleep(gap - IDLE_MS);
        }
        const answer = await send(gateway.url, agent);
        requests++;
        if (answer.reused) {
          reused++;
          longest = Math.max(longest, gap);
        }
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
      agent.destroy();
    }),
  );
  figure(
    `F47 ${requests} requests on ${CONNECTIONS} connections with idle gaps of 0 to ${LONGEST_GAP_MS / 1000} s: ${reused} on a connection that was used before, idle for up to ${(longest / 1000).toFixed(1)} s; ${statuses.get(502) ?? 0} of them 502 (criterion 0)`,
  );
  expect(Object.fromEntries(statuses)).toEqual({ 200: requests });
  expect(longest).toBeGreaterThan(0.95 * IDLE_MS);
  expect(reused).toBeGreaterThan(requests / 2);
  await gateway.stop();
}, 3_600_000);
