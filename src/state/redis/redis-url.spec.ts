import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-url.js';

const ONE = { host: 'h', port: 6379 };

describe('a URL of Redis', () => {
  it.each([
    ['redis://h', { kind: 'server', hosts: [ONE], database: 0, description: 'redis://h' }],
    [
      'redis://:p@h:7000/3',
      {
        hosts: [{ host: 'h', port: 7000 }],
        database: 3,
        credentials: { username: undefined, password: 'p' },
        description: 'redis://h:7000/3',
        tls: undefined,
      },
    ],
    [
      'redis://u%40x:p%23%2F%3F%40%25:y@[::1]:7000',
      {
        hosts: [{ host: '::1', port: 7000 }],
        credentials: { username: 'u@x', password: 'p#/?@%:y' },
        description: 'redis://[::1]:7000',
      },
    ],
    ['redis://u@h', { credentials: { username: 'u', password: undefined } }],
    [
      'rediss://h?tls_ca=/etc/ca%20x.pem&tls_cert=c.pem&tls_key=k.pem&tls_name=redis.internal',
      {
        tls: { ca: '/etc/ca x.pem', cert: 'c.pem', key: 'k.pem', name: 'redis.internal' },
        description: 'rediss://h',
      },
    ],
    ['rediss://h/', { tls: {}, database: 0, description: 'rediss://h' }],
    [
      'redis+sentinel://u:p@a,b:7000/main/2?sentinel_username=su&sentinel_password=sp%26',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 7000 },
        ],
        service: 'main',
        database: 2,
        credentials: { username: 'u', password: 'p' },
        sentinelCredentials: { username: 'su', password: 'sp&' },
        description: 'redis+sentinel://a,b:7000/main/2',
      },
    ],
    [
      'rediss+cluster://:p@a:1,b',
      {
        kind: 'cluster',
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 6379 },
        ],
        tls: {},
        description: 'rediss+cluster://a:1,b',
      },
    ],
  ])('%s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['redis://:s3#cret@h:1', /%23/],
    ['redis://:12#cret@h', /%23/],
    ['redis://u:12/cret@h', /%2F/],
    ['redis://u:12?cret@h', /%3F/],
    ['redis://u:s3@cret@h', /%40/],
    ['redis://u:12/cret', /database/],
    ['redis://u:s3cret', /host/],
    ['redis://u:s3%cret@h', /hexadecimal/],
    ['redis://:s3cret@h/x', /database/],
    ['redis://:s3cret@h/1/2', /database/],
    ['redis://:s3cret@h:0', /host/],
    ['redis://:s3cret@h:65536', /host/],
    ['redis://:s3cret@', /URL/],
    ['redis://:s3cret@h,i', /sentinel/],
    ['redis+sentinel://:s3cret@h', /name of the primary/],
    ['redis+cluster://:s3cret@h/1', /database/],
    ['redis://:s3cret@h?tls_ca=x', /tls_ca needs rediss/],
    ['rediss://:s3cret@h?tls_cert=x', /tls_cert and tls_key/],
    ['rediss://:s3cret@h?tls_ca=', /empty/],
    ['rediss://:s3cret@h?tls_ca=x&tls_ca=y', /twice/],
    ['rediss://h?cret=s3cret', /unknown/],
    ['redis://h?sentinel_password=s3cret', /unknown/],
    ['redis+other://:s3cret@h', /URL/],
  ])('is refused without a part of a password: %s', (url, reason) => {
    let message = '';
    try {
      parseRedisUrl(url);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(reason);
    expect(message).not.toMatch(/s3|cret|12/);
  });
});
