import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FULL } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { generateJwk } from '../helpers/issuers/keys.js';
import { tempFolder } from '../helpers/run/resources.js';
import {
  keySet,
  signingKid,
  until,
  USABLE_WITHIN_MS,
  withState,
  type Jwk,
} from '../helpers/issuers/rotation.js';

const ROUNDS = FULL ? 50 : 20;

/** Signs and validates without a pause until it is stopped; tells what failed. */
function load(gateway: Gateway) {
  const stopped = new AbortController();
  let requests = 0;
  const failures: string[] = [];
  const worker = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const answer = await fetch(`${gateway.url}/token`, { method: 'POST' });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      if (answer.status !== 200) failures.push(`token ${answer.status}`);
      const custom = await fetch(`${gateway.url}/private/custom`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (custom.status !== 200) failures.push(`custom ${custom.status} ${await custom.text()}`);
      else await custom.arrayBuffer();
      requests += 2;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const workers = [worker(), worker()];
  return async (): Promise<{ requests: number; failures: string[] }> => {
    stopped.abort();
    await Promise.all(workers);
    return { requests, failures };
  };
}

describe('rotation under load', () => {
  let directory: string;
  let gateway: Gateway;
  let current: Jwk;

  const start = async (path: string): Promise<void> => {
    gateway = await startGateway({ SIGNER_KID: 'auto', SIGNER_JWK_LOCAL_PATH: path });
  };
  beforeEach(async () => {
    directory = tempFolder('reload');
    current = await generateJwk('HS256', randomUUID());
  });
  afterEach(async () => {
    await gateway.stop();
  });

  /** So many new keys, each by `write`; the one before goes on verifying. */
  const rotate = async (write: (text: string, round: number) => void): Promise<number[]> => {
    const times: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const previous = current;
      current = await generateJwk('HS256', randomUUID());
      write(keySet(withState(current, 'active'), withState(previous, 'verifying')), round);
      const isUsed = async (): Promise<boolean> => (await signingKid(gateway)) === current.kid;
      times.push(await until(isUsed));
    }
    return times;
  };
  const report = (how: string, times: number[], requests: number, failed: number): void =>
    figure(
      `${ROUNDS} rotations ${how}: ${requests} requests, ${failed} failed (criterion 0); ` +
        `new key used after at most ${Math.round(Math.max(...times))} ms (criterion ${USABLE_WITHIN_MS})`,
    );

  it(`loses no request over ${ROUNDS} renames`, async () => {
    const path = join(directory, 'keys.json');
    writeFileSync(path, keySet(withState(current, 'active')), { mode: 0o600 });
    await start(path);
    const stop = load(gateway);
    const times = await rotate((text) => {
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    });
    const { requests, failures } = await stop();
    report('by rename', times, requests, failures.length);
    expect(failures).toEqual([]);
  }, 120_000);

  it(`loses no request over ${ROUNDS} swaps of a Kubernetes volume`, async () => {
    const swap = (text: string, round: number): void => {
      const version = join(directory, `..${round}`);
      mkdirSync(version);
      writeFileSync(join(version, 'keys.json'), text, { mode: 0o600 });
      symlinkSync(`..${round}`, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
      if (round > 0) rmSync(join(directory, `..${round - 1}`), { recursive: true });
    };
    swap(keySet(withState(current, 'active')), 0);
    symlinkSync(join('..data', 'keys.json'), join(directory, 'keys.json'));
    await start(join(directory, 'keys.json'));
    const stop = load(gateway);
    const times = await rotate(swap);
    const { requests, failures } = await stop();
    report('by ..data swap', times, requests, failures.length);
    expect(failures).toEqual([]);
  }, 120_000);
});
