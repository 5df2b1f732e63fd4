import { EventEmitter, once } from 'node:events';
import { createServer, Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { limitServer, limitWriting, serverOptions } from './server-limits.js';

describe('limitServer', () => {
  let warn: MockInstance<Logger['warn']>;
  const lines = (): unknown[] => warn.mock.calls.map(([line]) => line as unknown);
  beforeEach(() => {
    warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it('bounds header fields and connections', () => {
    const server = new Server();
    limitServer(server);
    expect(server.maxHeadersCount).toBe(100);
    expect(server.maxConnections).toBeGreaterThan(0);
    expect(server.maxConnections).toBeLessThanOrEqual(10_000);
    expect(server).toMatchObject({ dropMaxConnection: true });
  });

  it('tells of refused connections, once in ten seconds', () => {
    const server = new Server();
    limitServer(server);
    server.maxConnections = 7;
    for (let i = 0; i < 100; i++) server.emit('drop');
    expect(lines()).toEqual(['Connections are refused: there are 7']);
    vi.advanceTimersByTime(9999);
    server.emit('drop');
    expect(lines()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    server.emit('drop');
    expect(lines()).toHaveLength(2);
  });

  it('survives errors of accepting, but not of listening', () => {
    const server = new Server();
    limitServer(server);
    const error = Object.assign(new Error('no more'), { code: 'EMFILE' });
    expect(() => server.emit('error', error)).toThrow('no more');
    server.emit('listening');
    server.emit('error', error);
    expect(lines()).toEqual(['A connection could not be accepted (EMFILE)']);
  });
});

it.each([1024, 16_384, 65_536])('a head may be 16 kB larger than a token of %d', async (length) => {
  const server = createServer(serverOptions(length), (_request, response) => response.end()).listen(
    0,
  );
  await once(server, 'listening');
  const status = async (bytes: number): Promise<string> => {
    const socket = connect((server.address() as AddressInfo).port);
    socket.write(
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'y'.repeat(bytes)}\r\n\r\n`,
    );
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return data.toString('latin1', 9, 12);
  };
  expect([await status(length + 15_000), await status(length + 17_000)]).toEqual(['200', '431']);
  server.closeAllConnections();
  server.close();
});

it.each([
  ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', true],
  ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx', false],
])('a request has a stream for its body only where there is one: %j', async (text, ended) => {
  const seen: boolean[] = [];
  const server = createServer(serverOptions(1024), (request, response) => {
    seen.push(request.readableEnded);
    response.end();
  }).listen(0);
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port);
  socket.write(text);
  await once(socket, 'data');
  socket.destroy();
  server.close();
  expect(seen).toEqual([ended]);
});

describe('limitWriting', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A response whose socket still holds some bytes when all was written. */
  const finishing = (pending: number) => {
    const socket = { writableLength: pending, destroy: vi.fn<() => void>() };
    const response = Object.assign(new EventEmitter(), { socket });
    limitWriting(response as unknown as ServerResponse);
    response.emit('prefinish');
    return { response, destroy: socket.destroy };
  };

  it('closes the connection of a client that does not read in 13 seconds', () => {
    const { destroy } = finishing(1);
    vi.advanceTimersByTime(12_999);
    expect(destroy).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(destroy).toHaveBeenCalledOnce();
  });

  it('leaves those alone that have read it all', () => {
    const quick = finishing(0);
    expect(vi.getTimerCount()).toBe(0);
    const slow = finishing(1);
    slow.response.emit('close');
    vi.advanceTimersByTime(60_000);
    expect(quick.destroy).not.toHaveBeenCalled();
    expect(slow.destroy).not.toHaveBeenCalled();
  });
});
