import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Reflector } from '@nestjs/core';
import { describe, expect, it, vi } from 'vitest';
import { REQUIRE_JWT, type VerifiedClaims } from '../auth/index.js';
import { BackendUnavailableException, type BackendClient } from '../backend/index.js';
import { PrivateController } from './private.controller.js';

const from = new IncomingMessage(new Socket());
const to = new ServerResponse(from);
const claims: VerifiedClaims = { iss: 'i', aud: 'a', exp: 1, sub: '7' };
const proxy = vi.fn<BackendClient['proxy']>();
const controller = new PrivateController({ path: '/user/{JWT.sub}' }, {
  proxy,
} as unknown as BackendClient);

describe('PrivateController', () => {
  it('lets the backend answer', async () => {
    await controller.custom(from, to, claims);
    expect(proxy).toHaveBeenCalledExactlyOnceWith({
      method: 'GET',
      path: '/user/{JWT.sub}',
      from,
      to,
      claims,
    });
  });

  it('leaves failures of the backend to the error filter', async () => {
    const failure = new BackendUnavailableException('no answer');
    proxy.mockRejectedValue(failure);
    await expect(controller.custom(from, to, claims)).rejects.toBe(failure);
  });

  it('asks for a token with one of its roles', () => {
    const handler = Reflect.get(PrivateController.prototype, 'custom') as () => unknown;
    expect(new Reflector().get(REQUIRE_JWT, handler)).toEqual({
      roles: ['role_a', 'role_c'],
    });
  });
});
