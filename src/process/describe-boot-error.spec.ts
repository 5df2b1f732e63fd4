import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { BootError } from '../core/errors/index.js';
import { describeBootError } from './describe-boot-error.js';

describe('describeBootError', () => {
  it('gives the problems of a BootError, in terms of variables', async () => {
    const error = new BootError([
      "GET /admin/x (Admin.x): 'admin' needs the option adminRoles of AuthModule, which is empty",
      'PORT must be a whole number',
    ]);
    expect(await describeBootError(error)).toEqual([
      "GET /admin/x (Admin.x): 'admin' needs ADMIN_ROLES, which is empty",
      'PORT must be a whole number',
    ]);
  });

  it('names port and address that cannot be had', async () => {
    const first = createServer().listen(0, '127.0.0.1');
    await once(first, 'listening');
    const { port } = first.address() as AddressInfo;
    const second = createServer().listen(port, '127.0.0.1');
    const [inUse] = (await once(second, 'error')) as [Error];
    first.close();
    expect(await describeBootError(inUse)).toEqual([
      `PORT ${port} is in use already; stop the other process or choose another PORT (0 picks a free one)`,
    ]);
    const third = createServer().listen(0, '192.0.2.1');
    const [notHere] = (await once(third, 'error')) as [Error];
    expect(await describeBootError(notHere)).toEqual([
      'cannot listen on HOST 192.0.2.1 and PORT 0 (EADDRNOTAVAIL)',
    ]);
    const fourth = createServer().listen(0, 'no.such.host.invalid');
    const [unknown] = (await once(fourth, 'error')) as [Error];
    expect(await describeBootError(unknown)).toEqual([
      expect.stringMatching(/^HOST no\.such\.host\.invalid cannot be found \(E\w+\)$/),
    ]);
  });

  it('gives the message of any other error, and no value that was thrown', async () => {
    expect(await describeBootError(new TypeError('x'))).toEqual(['x']);
    expect(await describeBootError({ secret: 'hunter2' })).toEqual(['the boot failed']);
  });
});
