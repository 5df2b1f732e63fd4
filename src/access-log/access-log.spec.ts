import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { setVerified } from '../auth/index.js';
import { compilePolicy, type VerifiedClaims } from '../core/verify/index.js';
import type { FinishedRequest } from '../http/index.js';
import { accessLog } from './index.js';

const POLICY = compilePolicy({}, { algorithms: ['ES256'], issuer: 'i', audience: 'a' });

/** The lines about one request. */
function linesOf(finished: Partial<FinishedRequest>, level = 'debug'): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = pino(
    { level, base: undefined, timestamp: false },
    { write: (line) => lines.push(line) },
  );
  accessLog(log)({
    request: requestWith(undefined),
    id: 'r-1',
    method: 'GET',
    route: '/private/custom',
    status: 200,
    milliseconds: 1.23456,
    refusal: undefined,
    login: false,
    aborted: false,
    ...finished,
  });
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A request full of secrets, with the claims of a verified token. */
function requestWith(claims: object | undefined): IncomingMessage {
  const request = {
    url: '/private/custom?secret=1',
    headers: { authorization: 'Bearer secret', cookie: 'secret' },
    body: 'secret',
  } as unknown as IncomingMessage;
  if (claims !== undefined) setVerified(request, POLICY, claims as VerifiedClaims);
  return request;
}

describe('accessLog', () => {
  it('is one line per request, with nothing of its contents', () => {
    expect(linesOf({})).toEqual([
      {
        level: 30,
        request_id: 'r-1',
        method: 'GET',
        route: '/private/custom',
        status: 200,
        ms: 1.23,
        msg: 'request',
      },
    ]);
  });

  it('tells why a request was refused, and that the client was gone', () => {
    const refusal = { code: 'token_expired', explanation: "claim 'exp' is past" };
    expect(linesOf({ status: 401, refusal, aborted: true })).toEqual([
      expect.objectContaining({
        status: 401,
        code: 'token_expired',
        reason: "claim 'exp' is past",
        aborted: true,
      }),
    ]);
  });

  it('names a user by a part of a hash', () => {
    const hash = createHash('sha256').update('alice').digest('hex').slice(0, 16);
    const [line] = linesOf({ request: requestWith({ sub: 'alice', jti: 'secret' }) });
    expect(line?.sub_hash).toBe(hash);
    expect(JSON.stringify(line)).not.toMatch(/alice|secret/);
    for (const sub of [undefined, 7, null, ['alice']])
      expect(linesOf({ request: requestWith({ sub }) })[0]).not.toHaveProperty('sub_hash');
  });

  it('tells users of two issuers with one name apart', () => {
    const policy = compilePolicy(
      { issuers: [{ issuer: 'i', own: true }, { issuer: 'https://a' }, { issuer: 'https://b' }] },
      { algorithms: ['ES256'], issuer: 'i', audience: 'a' },
    );
    const hashes = ['i', 'https://a', 'https://b'].map((iss) => {
      const request = requestWith(undefined);
      setVerified(request, policy, { iss, sub: 'alice', exp: 1 });
      return linesOf({ request })[0]?.sub_hash;
    });
    expect(new Set(hashes).size).toBe(3);
    // For the own issuer the hash is the same with one issuer and with several.
    expect(hashes[0]).toBe(createHash('sha256').update('alice').digest('hex').slice(0, 16));
  });

  it.each([
    [499, 30],
    [500, 50],
    [502, 50],
  ])('is of the level that a status of %i deserves', (status, level) => {
    expect(linesOf({ status })).toMatchObject([{ status, level }]);
    expect(linesOf({ status, route: '/health/ready' })).toMatchObject([{ status, level: 20 }]);
  });

  it('keeps probes for the level debug', () => {
    const probe = { route: '/health/live' };
    expect(linesOf(probe, 'info')).toEqual([]);
    expect(linesOf(probe, 'debug')).toMatchObject([{ level: 20 }]);
    expect(linesOf({}, 'warn')).toEqual([]);
  });
});
