import { Agent, request } from 'undici';
import type { Gateway } from '../gateway/gateway.js';

/** What a load balancer saw. */
export interface Balance {
  requests: number;
  /** Each request that was not answered with signed tokens. */
  failures: string[];
}

const PROBE_MS = 20;
const CONNECTIONS = 20;

/**
 * A load balancer: sends `POST /token` steadily over keep-alive connections, until readiness is
 * down or the gateway gone; with `stop`, until that says so.
 */
export async function balance(
  { url }: Pick<Gateway, 'url'>,
  requestsPerSecond: number,
  stop?: AbortSignal,
): Promise<Balance> {
  const dispatcher = new Agent({ connections: CONNECTIONS });
  const prober = new Agent({ connections: 1 });
  const failures: string[] = [];
  const over = new AbortController();
  stop?.addEventListener('abort', () => over.abort());
  const isReady = async (): Promise<boolean> => {
    const { statusCode, body } = await request(`${url}/health/ready`, {
      dispatcher: prober,
    });
    await body.dump();
    return statusCode === 200;
  };
  const probe = async (): Promise<void> => {
    while (!over.signal.aborted) {
      if (!(await isReady().catch(() => false))) over.abort();
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    }
  };
  const send = async (): Promise<void> => {
    try {
      const { statusCode, body } = await request(`${url}/token`, { method: 'POST', dispatcher });
      const text = await body.text();
      if (statusCode !== 200 || !text.includes('eyJ')) failures.push(`status ${statusCode}`);
    } catch (error) {
      failures.push(String(error));
    }
  };
  const probing = stop === undefined ? probe() : undefined;
  let requests = 0;
  const open = new Set<Promise<void>>();
  const start = performance.now();
  while (!over.signal.aborted) {
    const due = ((performance.now() - start) * requestsPerSecond) / 1000;
    // What waits in a queue of our own would be sent when readiness is down already.
    for (; requests < due && open.size < CONNECTIONS; requests++) {
      const one = send().finally(() => open.delete(one));
      open.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all([...open, probing]);
  await Promise.all([dispatcher.close(), prober.close()]);
  return { requests, failures };
}
