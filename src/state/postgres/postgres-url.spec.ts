import { describe, expect, it } from 'vitest';
import { parsePostgresUrl, sslModeFor, type PostgresTarget } from './postgres-url.js';

const mode = (url: string): string => {
  const target = parsePostgresUrl(url);
  return sslModeFor(target, target.hosts[0] as PostgresTarget['hosts'][number]);
};

describe('parsePostgresUrl', () => {
  it.each<[url: string, target: Partial<PostgresTarget>]>([
    [
      'postgres://db',
      {
        description: 'postgres://db',
        hosts: [{ host: 'db', port: 5432 }],
        database: undefined,
        schema: 'signet',
        user: undefined,
        password: undefined,
      },
    ],
    [
      'postgresql://me:p%40ss:w%2Frd@db.example:5433/state%20x?schema=auth_1',
      {
        description: 'postgres://db.example:5433/state%20x?schema=auth_1',
        hosts: [{ host: 'db.example', port: 5433 }],
        database: 'state x',
        schema: 'auth_1',
        user: 'me',
        password: 'p@ss:w/rd',
      },
    ],
    [
      'postgres://me@[::1]:1,10.0.0.2,c:3/d',
      {
        hosts: [
          { host: '::1', port: 1 },
          { host: '10.0.0.2', port: 5432 },
          { host: 'c', port: 3 },
        ],
        user: 'me',
        password: undefined,
      },
    ],
    [
      'postgres://db/d?sslmode=verify-ca&sslrootcert=/a%20b&sslcert=c&sslkey=k',
      { sslMode: 'verify-ca', sslFiles: { ca: '/a b', cert: 'c', key: 'k' } },
    ],
  ])('reads %s', (url, target) => {
    expect(parsePostgresUrl(url)).toMatchObject(target);
  });

  it.each([
    ['postgres://db', 'verify-full'],
    ['postgres://10.0.0.1', 'verify-full'],
    ['postgres://localhost.example', 'verify-full'],
    ['postgres://localhost', 'disable'],
    ['postgres://127.0.0.1:1', 'disable'],
    ['postgres://[::1]', 'disable'],
    ['postgres://localhost/?sslrootcert=ca.pem', 'verify-full'],
    ['postgres://db/?sslmode=disable', 'disable'],
    ['postgres://db/?sslmode=require', 'require'],
  ])('protects %s by %s', (url, expected) => {
    expect(mode(url)).toBe(expected);
  });

  it.each([
    ['postgres://me:s3cret#x@db', /%23/],
    ['postgres://me:s3cret/x@db', /%2F/],
    ['postgres://me:s3cret@', /no URL/],
    ['postgres://s3cret@db:s3cret', /a host of the URL/],
    ['postgres://db:0', /a host of the URL/],
    ['postgres://db:65536', /a host of the URL/],
    ['postgres://db/d/e', /no URL/],
    ['postgres://me:s3cret%@db', /hexadecimal/],
    ['postgres://db/?password=s3cret', /known are schema, sslmode/],
    ['postgres://db/?schema=a&schema=b', /twice/],
    ['postgres://db/?schema=', /empty/],
    ['postgres://db/?schema=A', /lower-case/],
    ['postgres://db/?schema=a%22b', /lower-case/],
    [`postgres://db/?schema=${'a'.repeat(49)}`, /48/],
    ['postgres://db/?sslmode=prefer', /verify-full/],
    ['postgres://db/?sslmode=allow', /verify-full/],
    ['postgres://db/?sslmode=disable&sslrootcert=x', /uses no certificates/],
    ['postgres://db/?sslmode=require&sslrootcert=x', /checks no certificate/],
    ['postgres://db/?sslcert=x', /need each other/],
  ])('refuses %s', (url, reason) => {
    let message = '';
    try {
      parsePostgresUrl(url);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(reason);
    expect(message).not.toContain('s3cret');
  });
});
