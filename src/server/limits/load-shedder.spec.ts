import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoadShedder } from './load-shedder.js';

const MAX_IN_FLIGHT = 4096;

class Exchange extends EventEmitter {
  readonly answer: { status?: number; headers?: Record<string, unknown>; body?: string } = {};
  readonly request = { url: '/token', headers: {} } as IncomingMessage;
  get response(): ServerResponse {
    return this as unknown as ServerResponse;
  }
  writeHead(status: number, headers: Record<string, unknown>): this {
    Object.assign(this.answer, { status, headers });
    return this;
  }
  end(body: string): void {
    this.answer.body = body;
    this.emit('close');
  }
}

describe('LoadShedder', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('refuses what is too much with 503 after a moment, lets probes in, and forgets what is over', () => {
    const shedder = new LoadShedder();
    const shed = vi.fn<LoadShedder['onShed']>();
    shedder.onShed = shed;
    const enter = (url = '/token') => {
      const exchange = new Exchange();
      exchange.request.url = url;
      return { exchange, admitted: shedder.admit(exchange.request, exchange.response) };
    };
    const admitted = Array.from({ length: MAX_IN_FLIGHT }, () => enter());
    expect(admitted.every((one) => one.admitted)).toBe(true);
    const refused = enter();
    expect([refused.admitted, enter('/health/ready').admitted]).toEqual([false, true]);
    expect(refused.exchange.answer).toEqual({});
    vi.advanceTimersByTime(500);
    const { status, headers, body = '' } = refused.exchange.answer;
    expect([status, headers?.['Retry-After']]).toEqual([503, '1']);
    expect(headers?.['Content-Length']).toBe(String(Buffer.byteLength(body)));
    expect(JSON.parse(body)).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'The gateway is overloaded.',
      code: 'overloaded',
      request_id: headers?.['X-Request-Id'],
    });
    expect(shed.mock.calls).toEqual([[refused.exchange.request, refused.exchange.response]]);
    for (const { exchange } of admitted.slice(0, 2)) exchange.emit('close');
    expect(enter().admitted).toBe(true);
  });
});
