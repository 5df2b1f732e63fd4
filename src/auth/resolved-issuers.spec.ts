import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BootError } from '../core/errors/index.js';
import type { KeySource } from '../core/keys/index.js';
import {
  compilePolicy,
  type IntrospectionOptions,
  type IssuerOptions,
  type TokenPolicy,
} from '../core/verify/index.js';
import { IssuerUnavailableException } from './auth.exceptions.js';
import {
  ResolvedIssuers,
  type IssuerResolver,
  type IssuerResolverOptions,
} from './resolved-issuers.js';

const OWN = 'https://own';
/** Sources whose keys are open, in the order in which they were opened. */
let open: KeySource[];
let opened: number;
/** What opening waits for. */
let gate: Promise<void>;
let asked: string[];
let lines: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  open = [];
  opened = 0;
  gate = Promise.resolve();
  asked = [];
  lines = [];
  const note = (text: unknown): void => void lines.push(String(text));
  Logger.overrideLogger({ log: note, warn: note, error: note });
});
afterEach(() => {
  vi.useRealTimers();
  Logger.overrideLogger(true);
});

const keys = {
  leaseVerification: async (source: KeySource): Promise<() => void> => {
    opened++;
    open.push(source);
    await gate;
    return () => {
      const at = open.indexOf(source);
      if (at < 0) throw new Error('released twice');
      open.splice(at, 1);
    };
  },
};

const issuers = (resolve: IssuerResolver, options: IssuerResolverOptions = {}): ResolvedIssuers =>
  new ResolvedIssuers(
    (iss) => {
      asked.push(iss);
      return resolve(iss);
    },
    options,
    new Set([OWN]),
    keys,
  );
/** Every issuer that begins with `t` is a tenant. */
const tenants: IssuerResolver = (iss) =>
  iss.startsWith('t') ? { jwksUri: `https://keys/${iss}` } : undefined;

const compile = (one: IssuerOptions): TokenPolicy =>
  compilePolicy(
    { issuers: [one] },
    { algorithms: ['ES256'], issuer: OWN, audience: 'api' },
  ).perIssuer?.get(one.issuer) as TokenPolicy;

/** `known`, `unknown` or `503`. */
async function ask(from: ResolvedIssuers, iss: string, by = compile): Promise<string> {
  try {
    const policy = await from.find(iss, by);
    if (policy === undefined) return 'unknown';
    expect([...policy.issuers]).toEqual([iss]);
    expect([...policy.foreignIssuers]).toEqual([iss]);
    return 'known';
  } catch (error) {
    if (error instanceof IssuerUnavailableException) return '503';
    throw error;
  }
}

describe('an answer', () => {
  it('is used for 300 seconds, or as long as the option says', async () => {
    for (const issuerResolverTtl of [undefined, 10]) {
      asked = [];
      const seconds = issuerResolverTtl ?? 300;
      const resolved = issuers(tenants, { issuerResolverTtl });
      expect(await ask(resolved, 't1')).toBe('known');
      vi.advanceTimersByTime(seconds * 1000 - 1);
      expect(await ask(resolved, 't1')).toBe('known');
      expect(asked).toEqual(['t1']);
      vi.advanceTimersByTime(1);
      expect(await ask(resolved, 't1')).toBe('known');
      expect(asked).toEqual(['t1', 't1']);
    }
  });

  it('is compiled once per route', async () => {
    const counted = vi.fn<typeof compile>(compile);
    const resolved = issuers(tenants);
    for (let i = 0; i < 3; i++) await ask(resolved, 't1', counted);
    expect(counted).toHaveBeenCalledTimes(1);
    await ask(resolved, 't1', (one) => counted(one));
    expect(counted).toHaveBeenCalledTimes(2);
  });

  it('that changes takes the keys of the one before away', async () => {
    let version = 1;
    const resolved = issuers((iss) =>
      version === 3 ? undefined : { jwksUri: `https://keys/${iss}/${version}` },
    );
    await ask(resolved, 't1');
    version = 2;
    vi.advanceTimersByTime(300_000);
    await ask(resolved, 't1');
    expect(open).toEqual([{ url: 'https://keys/t1/2', options: undefined }]);
    version = 3;
    vi.advanceTimersByTime(300_000);
    expect(await ask(resolved, 't1')).toBe('unknown');
    expect(open).toEqual([]);
  });

  it('whose endpoint cannot be used holds up the tokens of its issuer, as one whose keys cannot', async () => {
    const resolve: IssuerResolver = (iss) => ({ introspection: { url: `https://${iss}` } });
    const endpoints = {
      open: async ({ url }: IntrospectionOptions) => {
        if (url !== 'https://t1') throw new BootError('the option introspection of AuthModule: no');
      },
    };
    const resolved = new ResolvedIssuers(resolve, {}, new Set([OWN]), keys, endpoints);
    expect(await ask(resolved, 't1')).toBe('known');
    expect(await ask(resolved, 't2')).toBe('503');
    expect(opened).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/no answer for "t2", .* introspection of Auth/)]);
  });

  it('of nothing is used for seconds', async () => {
    const resolved = issuers(tenants);
    for (let i = 0; i < 3; i++) expect(await ask(resolved, 'x')).toBe('unknown');
    expect(asked).toEqual(['x']);
    vi.advanceTimersByTime(5000);
    expect(await ask(resolved, 'x')).toBe('unknown');
    expect(asked).toEqual(['x', 'x']);
  });

  it('is shared by all who ask at the same time, keys included', async () => {
    let answer = (): void => undefined;
    gate = new Promise((resolve) => (answer = resolve));
    const resolved = issuers(async (iss) => Promise.resolve(tenants(iss)));
    const all = Promise.all(Array.from({ length: 50 }, () => ask(resolved, 't1')));
    answer();
    expect(new Set(await all)).toEqual(new Set(['known']));
    expect([asked.length, opened]).toEqual([1, 1]);
  });
});

describe('is never asked about', () => {
  it.each([
    ['an issuer that is listed', OWN],
    ['an issuer that is longer than any', `t${'x'.repeat(1024)}`],
  ])('%s', async (_what, iss) => {
    const resolved = issuers(() => ({ jwksUri: 'https://keys' }));
    expect(await ask(resolved, iss)).toBe('unknown');
    expect(asked).toEqual([]);
  });
});

describe('an answer that is none: 503 for this issuer, and one line', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['an error', () => Promise.reject(new Error('no database')), /no answer for "t1".*no database/],
    [
      'an error at once',
      () => {
        throw new Error('no database');
      },
      /no database/,
    ],
    [
      'what is no error',
      () => {
        throw 'secret';
      },
      /no Error$/,
    ],
    ['null', () => null, /neither an object/],
    ['a string', () => 'https://keys', /neither an object/],
    ['another issuer', () => ({ issuer: OWN }), /about another issuer: "https:\/\/own"/],
    ['another tenant', () => ({ issuer: 't2' }), /about another issuer/],
    ['our own', () => ({ own: true }), /'own' is set/],
    ['two places for keys', () => ({ jwksUri: 'https://a', jwkLocalPath: 'b' }), /several of/],
    ['an unknown algorithm', () => ({ algorithms: ['none'] }), /'none' is not a supported/],
    ['an empty audience', () => ({ audience: [] }), /'audience' is empty/],
  ])('%s', async (_what, answer, reason) => {
    const resolved = issuers((iss) =>
      iss === 't1' ? (answer() as ReturnType<IssuerResolver>) : tenants(iss),
    );
    for (let i = 0; i < 5; i++) expect(await ask(resolved, 't1')).toBe('503');
    expect(asked).toHaveLength(1);
    expect(lines).toEqual([expect.stringMatching(reason)]);
    expect(lines.join()).not.toContain('secret');
    expect(await ask(resolved, 't3')).toBe('known');
  });

  it('ends with the first one that is right, at most a second later', async () => {
    let fails = true;
    const resolved = issuers((iss) => {
      if (fails) throw new Error('no database');
      return tenants(iss);
    });
    expect(await ask(resolved, 't1')).toBe('503');
    fails = false;
    vi.advanceTimersByTime(999);
    expect(await ask(resolved, 't1')).toBe('503');
    vi.advanceTimersByTime(1);
    expect(await ask(resolved, 't1')).toBe('known');
  });

  it('keeps the keys of the last right answer open, and uses none of them', async () => {
    let fails = false;
    const resolved = issuers((iss) => {
      if (fails) throw new Error('no database');
      return tenants(iss);
    });
    await ask(resolved, 't1');
    fails = true;
    vi.advanceTimersByTime(300_000);
    expect(await ask(resolved, 't1')).toBe('503');
    expect(open).toHaveLength(1);
    fails = false;
    vi.advanceTimersByTime(1000);
    expect(await ask(resolved, 't1')).toBe('known');
    expect(open).toHaveLength(1);
  });

  it('when it takes longer than two seconds', async () => {
    const resolved = issuers(() => new Promise(() => undefined));
    const verdict = ask(resolved, 't1');
    await vi.advanceTimersByTimeAsync(2000);
    expect(await verdict).toBe('503');
    expect(lines).toEqual([expect.stringMatching(/no answer within 2000 ms/)]);
  });
});

describe('bounds', () => {
  it('10,000 strange issuers at once: few questions, and nothing is forgotten for them', async () => {
    const resolved = issuers(async (iss) => Promise.resolve(tenants(iss)));
    expect(await ask(resolved, 't1')).toBe('known');
    const verdicts = await Promise.all(
      Array.from({ length: 10_000 }, (_, index) => ask(resolved, `x${index}`)),
    );
    expect(asked.length).toBeLessThanOrEqual(101);
    expect(verdicts.filter((verdict) => verdict === 'unknown')).toHaveLength(100);
    expect(verdicts.filter((verdict) => verdict === '503')).toHaveLength(9900);
    expect(lines).toEqual([expect.stringMatching(/is not asked about new issuers/)]);
    // A known one is served, and asked about again, all the same.
    expect(await ask(resolved, 't1')).toBe('known');
    expect(open).toHaveLength(1);
  });

  it('10,000 strange issuers one after the other: as many questions per second', async () => {
    const resolved = issuers(tenants);
    for (let i = 0; i < 10_000; i++) {
      await ask(resolved, `x${i}`);
      vi.advanceTimersByTime(1);
    }
    expect(asked.length).toBeLessThanOrEqual(11 * 100);
    // New tenants come in again as soon as it is over.
    vi.advanceTimersByTime(1000);
    expect(await ask(resolved, 't1')).toBe('known');
  });

  it('the one not used for longest makes room, and its keys are closed', async () => {
    const resolved = issuers(tenants, { issuerResolverLimit: 2 });
    await ask(resolved, 't1');
    await ask(resolved, 't2');
    await ask(resolved, 't1');
    await ask(resolved, 't3');
    const urls = (): string[] =>
      open.map((source) => ('url' in source ? source.url : '')).toSorted();
    expect(urls()).toEqual(['https://keys/t1', 'https://keys/t3']);
    for (let i = 0; i < 50; i++) await ask(resolved, `t${i}`);
    expect(open).toHaveLength(2);
    asked = [];
    await ask(resolved, 't49');
    expect(asked).toEqual([]);
  });

  it('keys that nobody uses any more are closed', async () => {
    const resolved = issuers(tenants);
    await ask(resolved, 't1');
    vi.advanceTimersByTime(600_000);
    await ask(resolved, 't2');
    expect(open).toMatchObject([{ url: 'https://keys/t2' }]);
  });
});

it('warns of an issuer whose audience is unchecked', async () => {
  const resolved = issuers(() => ({ audience: 'unchecked', jwksUri: 'https://keys' }));
  expect(await ask(resolved, 't1')).toBe('known');
  expect(await ask(resolved, 't1')).toBe('known');
  expect(lines).toEqual([expect.stringMatching(/audience of "t1" is unchecked/)]);
});

it.each<[object, RegExp]>([
  [{ issuerResolverTtl: 0 }, /'issuerResolverTtl' is not a number of seconds/],
  [{ issuerResolverTtl: Infinity }, /'issuerResolverTtl'/],
  [{ issuerResolverTtl: NaN }, /'issuerResolverTtl'/],
  [{ issuerResolverLimit: 0 }, /'issuerResolverLimit' is not a whole number/],
  [{ issuerResolverLimit: 1.5 }, /'issuerResolverLimit'/],
])('refuses %j', (options, reason) => {
  expect(() => issuers(tenants, options)).toThrow(BootError);
  expect(() => issuers(tenants, options)).toThrow(reason);
});
