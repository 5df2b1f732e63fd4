import { beforeEach, describe, expect, it } from 'vitest';
import { GatewayException } from '../http/index.js';
import type { JwkKeyStore } from '../jwks/index.js';
import { StateUnavailableException, type Revocations } from '../state/index.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.service.js';

let keysReady: boolean;
let fresh: boolean;
let readOnly: string | undefined;
let readiness: Readiness;
let controller: HealthController;
beforeEach(() => {
  keysReady = true;
  fresh = true;
  readOnly = undefined;
  const assertFresh = (): void => {
    if (!fresh) throw new StateUnavailableException('too old');
  };
  readiness = new Readiness(
    { ready: () => keysReady } as JwkKeyStore,
    {
      assertReady: assertFresh,
      get readOnly() {
        return readOnly;
      },
    } as Revocations,
  );
  controller = new HealthController(readiness);
});

/** `ok`, or status and code of the refusal. */
function ready(): string {
  try {
    return controller.ready().status;
  } catch (error) {
    if (!(error instanceof GatewayException)) throw error;
    return `${error.details.status} ${error.details.code}`;
  }
}

describe('Readiness', () => {
  it('is ready with keys and a fresh view of the state', () => {
    expect(ready()).toBe('ok');
    expect(readiness.shuttingDown).toBe(false);
  });

  it('is not ready until all sets of keys have arrived', () => {
    keysReady = false;
    expect(ready()).toBe('503 keys_unavailable');
    keysReady = true;
    expect(ready()).toBe('ok');
  });

  it('is not ready while revocations are too old', () => {
    fresh = false;
    expect(ready()).toBe('503 state_unavailable');
  });

  it('is ready, and says so, while the state store takes no writes', () => {
    readOnly = 'full';
    expect(controller.ready()).toEqual({ status: 'ok', state: 'read-only' });
  });

  it('is not ready from the moment the process is told to end, whatever else is missing', () => {
    readiness.beginShutdown();
    expect(readiness.shuttingDown).toBe(true);
    expect(ready()).toBe('503 shutting_down');
    keysReady = false;
    fresh = false;
    expect(ready()).toBe('503 shutting_down');
  });

  it('has nothing to do with being alive', () => {
    keysReady = false;
    fresh = false;
    readiness.beginShutdown();
    expect(controller.live()).toEqual({ status: 'ok' });
  });
});
