// Faults of clients (F42, F45, F47, F48); the slow ones are in slow/server-limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figure } from './helpers/run/figure.js';
import { limit } from './helpers/run/faults.js';
import { startGateway, type GatewayProcess } from './helpers/gateway/gateway.js';
import { hold } from './helpers/network/hold.js';
import { call, exchange } from './helpers/network/http.js';
import { metricOf, preload } from './helpers/gateway/processes.js';

describe('the server', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGateway({
      NODE_OPTIONS: preload(
        "process.on('SIGUSR2', () => { const end = Date.now() + 500; while (Date.now() < end); })",
      ),
    });
  });
  afterAll(async () => {
    await gateway?.stop();
  });

  it('F45 answers 431 to more than 100 header fields and to more than 32 kB, and counts it', async () => {
    const send = (fields: string) =>
      exchange(
        gateway.url,
        `GET /private/custom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n`,
      );
    // None is dropped silently, the token after them included.
    const few = await send(`${'a:\r\n'.repeat(97)}Authorization: Bearer x\r\n`);
    expect([few.status, few.json.code]).toEqual([401, 'token_malformed']);
    for (const fields of [
      'a:\r\n'.repeat(2500),
      'a:\r\n'.repeat(150),
      `a: ${'x'.repeat(33_000)}\r\n`,
    ]) {
      const many = await send(`${fields}Authorization: Bearer x\r\n`);
      expect([many.status, many.json.code]).toEqual([431, 'headers_too_large']);
    }
    const metrics = await gateway.metrics();
    expect(metricOf(metrics, 'signet_refusals_total', 'headers_too_large')).toBe(3);
  });

  it('F48 answers pipelined requests in order', async () => {
    const ids = Array.from({ length: 200 }, (_, i) => `id-${i}`);
    const requests = ids.map((id, i) =>
      i % 2 === 0
        ? `POST /token HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`
        : `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`,
    );
    const last = 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const { socket, closed } = hold(gateway.url, requests.join('') + last);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    await closed;
    const answered = [...text.matchAll(/X-Request-Id: (id-\d+)/gi)].map(([, id]) => id);
    figure(
      `F48 ${answered.length} of 200 pipelined requests answered in order (criterion: no crossed answer)`,
    );
    expect(answered).toEqual(ids);
  });

  it('F47 keeps idle connections longer than balancers do', async () => {
    const { headers } = await call(`${gateway.url}/health/live`);
    expect(headers.get('keep-alive')).toBe('timeout=65');
  });

  it('F42 is there again at once after its event loop was blocked for 500 ms, and refuses nothing', async () => {
    const blocked = performance.now();
    gateway.process.kill('SIGUSR2');
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => call(`${gateway.url}/token`, { method: 'POST' })),
    );
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    const recovered = performance.now() - blocked;
    figure(
      `F42 50 requests answered ${Math.round(recovered)} ms after a block of 500 ms began (criterion 1500)`,
    );
    expect(recovered).toBeLessThan(limit(1500, 5000));
    expect(metricOf(await gateway.metrics(), 'signet_event_loop_delay_seconds')).toBeGreaterThan(
      0.05,
    );
  });
});
