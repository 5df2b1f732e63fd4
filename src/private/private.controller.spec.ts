import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Reflector } from '@nestjs/core';
import { describe, expect, it, vi } from 'vitest';
import { REQUIRE_JWT, type VerifiedClaims } from '../auth/index.js';
import {
  BackendAnswer,
  BackendUnavailableException,
  type BackendClient,
} from '../backend/index.js';
import { PrivateController } from './private.controller.js';

const request = new IncomingMessage(new Socket());
const claims: VerifiedClaims = { iss: 'i', aud: 'a', exp: 1, sub: '7' };
const call = vi.fn<BackendClient['call']>();
const controller = new PrivateController({ path: '/user/{JWT.sub}' }, {
  call,
} as unknown as BackendClient);

describe('PrivateController', () => {
  it("passes the backend's answer on as it is", async () => {
    // Not what JSON.stringify would make of it.
    const text = '{ "id": 12345678901234567890 }';
    call.mockResolvedValue(new BackendAnswer(203, JSON.parse(text), text, 'application/hal+json'));
    const response = new ServerResponse(request);
    expect(await controller.custom(request, response, claims)).toBe(text);
    expect([response.statusCode, response.getHeader('content-type')]).toEqual([
      203,
      'application/hal+json',
    ]);
    expect(call).toHaveBeenCalledExactlyOnceWith({
      path: '/user/{JWT.sub}',
      from: request,
      claims,
    });
  });

  it('leaves failures of the backend to the error filter', async () => {
    const failure = new BackendUnavailableException('no answer');
    call.mockRejectedValue(failure);
    await expect(controller.custom(request, new ServerResponse(request), claims)).rejects.toBe(
      failure,
    );
  });

  it('asks for a token with one of its roles', () => {
    const handler = Reflect.get(PrivateController.prototype, 'custom') as () => unknown;
    expect(new Reflector().get(REQUIRE_JWT, handler)).toEqual({
      roles: ['role_a', 'role_c'],
    });
  });
});
